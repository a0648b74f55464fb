import Cryptography
import Envelopes
import Testing

/// Whole messages, altered: none may be accepted as the secret's own, by decoder, slot, key wrap and cipher together.
@Suite struct MutationTests {
    private static let contents = [
        "", "x", "hunter2", "correct horse battery staple", String(repeating: "long ", count: 60),
    ]

    private static func sample(_ number: Int) throws -> Sample {
        try Sample(
            plaintext: Array(contents[number % contents.count].utf8),
            contentType: [.text, .bytes, .json, ContentType(rawValue: 300)][number % 4],
            context: number % 3 == 0 ? nil : patterned(number, seed: 9), birth: UInt32(1 + number % 2),
            generation: UInt32(1 + number * 77), seed: UInt64(number))
    }

    private static let messages = 0..<200

    /// Every bit of all messages: more than 200,000.
    @Test(arguments: messages)
    func alteredBits(number: Int) throws {
        let sample = try Self.sample(number)
        #expect(sample.open(sample.message) == sample.plaintext)
        var accepted: [Int] = []
        for bit in 0..<sample.message.count * 8 where sample.open(flipping(bit, of: sample.message)) != nil {
            accepted.append(bit)
        }
        #expect(accepted.isEmpty)
    }

    @Test func thatIsMoreThan200000() throws {
        #expect(try Self.messages.reduce(0) { try $0 + Self.sample($1).message.count * 8 } > 200_000)
    }

    /// Every byte of all messages as 00 and as FF.
    @Test(arguments: messages)
    func zerosAndOnes(number: Int) throws {
        let sample = try Self.sample(number)
        for index in sample.message.indices {
            for value: UInt8 in [0, 255] where sample.message[index] != value {
                var message = sample.message
                message[index] = value
                #expect(sample.open(message) == nil, "byte \(index)")
            }
        }
    }

    /// Every truncation is refused, by the decoder already.
    @Test(arguments: messages)
    func truncations(number: Int) throws {
        let sample = try Self.sample(number)
        for count in 0..<sample.message.count {
            #expect(throws: EnvelopeError.self, "\(count) bytes") {
                try sample.message[..<count].withUnsafeBytes { try Message(decoding: $0) }
            }
        }
    }

    /// A byte less, and one byte twice.
    @Test(arguments: messages)
    func deletedAndRepeatedBytes(number: Int) throws {
        let sample = try Self.sample(number)
        for index in sample.message.indices {
            var message = sample.message
            message.remove(at: index)
            #expect(sample.open(message) == nil, "byte \(index)")
            message = sample.message
            message.insert(message[index], at: index)
            #expect(sample.open(message) == nil, "byte \(index) twice")
        }
    }

    /// Every byte value in every place.
    @Test(arguments: 0..<4)
    func insertedBytes(number: Int) throws {
        let sample = try Self.sample(number)
        var accepted: [Int] = []
        for index in 0...sample.message.count {
            for value in 0...255 as ClosedRange<UInt8> {
                var message = sample.message
                message.insert(value, at: index)
                if sample.open(message) != nil { accepted.append(index) }
            }
        }
        #expect(accepted.isEmpty)
    }

    /// Parts of two messages of the same group do not make a third.
    @Test func exchangedParts() throws {
        let first = try Sample(name: "first", seed: 1)
        var second = try Sample(name: "second", seed: 1)
        let bodyLength = first.message.count - Message.recipientsLength
        // The same data key is in both here: only the name is another.
        second.message = first.message[..<bodyLength] + second.message.suffix(Message.recipientsLength)
        #expect(second.open(second.message) == nil)
        #expect(first.open(second.message) == first.plaintext)
        // Another generation's number or another group's identity in the slot.
        var other = first
        other.generation += 1
        #expect(other.open(first.message) == nil)
        other = first
        other.group = Identity(patterned(16, seed: 77))!
        #expect(other.open(first.message) == nil)
    }

    /// What random damage leaves decodable is still the one encoding of what was decoded.
    @Test(arguments: 0..<8)
    func acceptedBytesAreCanonical(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        var decoded = 0
        for _ in 0..<4000 {
            var bytes = Fault.good.bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                }
            }
            guard let message = try? bytes.withUnsafeBytes({ try Message(decoding: $0) }) else { continue }
            decoded += 1
            let wire = Wire(
                contentType: message.layout.contentType.rawValue, nonce: Array(bytes[message.layout.nonce]),
                ciphertext: Array(bytes[message.layout.ciphertext]), kid: message.keyIdentifier.bytes,
                wrapped: Array(bytes[message.wrappedKey]))
            #expect(wire.bytes == bytes)
        }
        #expect(decoded > 100)
    }

    /// Bytes that are no message at all never get further than an error.
    @Test(arguments: 0..<4)
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<200, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 4 { bytes.replaceSubrange(..<3, with: [0xD8, 0x60, 0x84]) }
            #expect(throws: EnvelopeError.self) { try bytes.withUnsafeBytes { try Message(decoding: $0) } }
        }
    }
}
