import Envelopes
import Testing

/// A message with one fault, and what the decoder has to say about it.
struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: EnvelopeError.Code
    let bytes: [UInt8]

    /// - Parameters:
    ///   - description: the fault.
    ///   - code: what is expected.
    ///   - change: makes the fault in a good message.
    init(_ description: String, _ code: EnvelopeError.Code, _ change: (inout Wire) -> Void) {
        var wire = Fault.good
        change(&wire)
        testDescription = description
        self.code = code
        bytes = wire.bytes
    }

    static let nonce = patterned(12, seed: 1)
    static let kid = patterned(16, seed: 2) + [0, 0, 0, 5]
    static let wrapped = patterned(40, seed: 3)
    /// The content type 42, as it stands in the header.
    static let type: [UInt8] = [0x18, 0x2A]

    static let good = Wire(
        contentType: 42, nonce: nonce, ciphertext: patterned(24, seed: 4), kid: kid, wrapped: wrapped)
}

@Suite struct StrictnessTests {
    @Test func theGoodMessageIsAccepted() throws {
        let bytes = Fault.good.bytes
        _ = try bytes.withUnsafeBytes { try Message(decoding: $0) }
        let body = Fault.good.body
        _ = try body.withUnsafeBytes { try MessageBody.decode($0) }
    }

    @Test(arguments: Fault.frame + Fault.protectedHeader + Fault.unprotectedHeader + Fault.ciphertext)
    func faultsOfTheBody(fault: Fault) { expect(fault) }

    @Test(arguments: Fault.recipientList + Fault.recipientHeader + Fault.wrappedKey)
    func faultsOfTheRecipient(fault: Fault) { expect(fault) }

    /// Every fault stands once, so that no two lines test the same bytes.
    @Test func faultsAreDifferent() {
        let all =
            Fault.frame + Fault.protectedHeader + Fault.unprotectedHeader + Fault.ciphertext + Fault.recipientList
            + Fault.recipientHeader + Fault.wrappedKey
        #expect(Set(all.map(\.bytes)).count == all.count)
        #expect(all.count >= 60)
        // And each kind of error that a message can have is expected somewhere.
        let expected = Set(all.map(\.code))
        for code in EnvelopeError.Code.allCases where code != .tooDeep && code != .invalidText {
            #expect(expected.contains(code), "\(code)")
        }
    }

    /// A body alone takes all its bytes, too.
    @Test func aBodyIsNotAMessage() {
        let message = Fault.good.bytes
        #expect(throws: EnvelopeError(.trailingBytes, at: Fault.good.body.count)) {
            try message.withUnsafeBytes { try MessageBody.decode($0) }
        }
        let body = Fault.good.body
        #expect(throws: EnvelopeError(.truncated, at: body.count)) {
            try body.withUnsafeBytes { try Message(decoding: $0) }
        }
    }

    private func expect(_ fault: Fault) {
        do throws(EnvelopeError) {
            _ = try decode(fault.bytes)
            Issue.record("was accepted")
        } catch {
            #expect(error.code == fault.code, "\(error)")
            #expect((0...fault.bytes.count).contains(error.offset))
        }
    }

    private func decode(_ bytes: [UInt8]) throws(EnvelopeError) -> Message {
        let result = bytes.withUnsafeBytes { buffer -> Result<Message, EnvelopeError> in
            do throws(EnvelopeError) { return .success(try Message(decoding: buffer)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
