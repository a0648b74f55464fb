import Cryptography
import Envelopes
import Testing

@Suite struct RoundTripTests {
    /// Both sides of every length at which a head grows, and every content type of which the number grows.
    @Test(
        arguments: [0, 1, 7, 8, 23, 24, 239, 240, 255, 256, 65519, 65520, 65535, 65536],
        [0, 23, 24, 42, 50, 255, 256, 300, 65535])
    func opensWhatWasProtected(length: Int, type: UInt16) throws {
        let contentType = ContentType(rawValue: type)
        let sample = try Sample(plaintext: patterned(length, seed: UInt64(length)), contentType: contentType)
        let message = try sample.message.withUnsafeBytes { try Message(decoding: $0) }
        #expect(message.layout.contentType == contentType)
        #expect(message.layout.plaintextLength == length)
        #expect(message.bodyLength == MessageBody.length(plaintext: length, contentType: contentType))
        #expect(sample.message.count == message.bodyLength + Message.recipientsLength)
        #expect(sample.open(sample.message) == sample.plaintext)
        // Written by hand, the same parts give the same bytes.
        let wire = Wire(
            contentType: type, nonce: Array(sample.message[message.layout.nonce]),
            ciphertext: Array(sample.message[message.layout.ciphertext]), kid: message.keyIdentifier.bytes,
            wrapped: Array(sample.message[message.wrappedKey]))
        #expect(wire.bytes == sample.message)
    }

    @Test(arguments: [1, 23, 24, 255, 256, 1024], [nil, 0, 1, 23, 24, 255, 256, 65536] as [Int?])
    func namesAndContextsOfEveryLength(name: Int, context: Int?) throws {
        let sample = try Sample(
            name: String(repeating: "n", count: name), context: context.map { patterned($0, seed: 1) })
        #expect(sample.open(sample.message) == sample.plaintext)
    }

    @Test(arguments: [1, 23, 24, 255, 256, 65535, 65536, .max] as [UInt32])
    func generationsOfEveryLength(number: UInt32) throws {
        let sample = try Sample(birth: number, generation: number)
        #expect(sample.open(sample.message) == sample.plaintext)
    }

    /// A body opens with nothing but what it was protected with.
    @Test func everyPartIsBound() throws {
        let group = Identity(patterned(16, seed: 1))!
        let dataKey = patterned(32, seed: 2)
        let protector = try ContentProtector(group: group)
        let name = Array("mail/alice".utf8)
        let context = Array("tenant".utf8)
        let body = try protect(
            [1, 2, 3], .bytes, protector, name: name, context: context, birth: 3, dataKey: dataKey)
        func open(
            _ protector: ContentProtector? = nil, name otherName: [UInt8]? = nil, context: [UInt8]?,
            birth: UInt32 = 3, dataKey otherKey: [UInt8]? = nil
        ) throws -> [UInt8]? {
            unprotect(
                body, try protector ?? ContentProtector(group: group), name: otherName ?? name, context: context,
                birth: birth, dataKey: otherKey ?? dataKey)
        }
        #expect(try open(context: context) == [1, 2, 3])
        #expect(try open(context: nil) == nil)
        #expect(try open(context: []) == nil)
        #expect(try open(context: context + [0]) == nil)
        #expect(try open(name: Array("mail/alicf".utf8), context: context) == nil)
        #expect(try open(name: [], context: context) == nil)
        #expect(try open(context: context, birth: 2) == nil)
        #expect(try open(context: context, birth: 4) == nil)
        #expect(try open(ContentProtector(group: Identity(patterned(16, seed: 9))!), context: context) == nil)
        #expect(try open(context: context, dataKey: flipping(9, of: dataKey)) == nil)
        // Name and context cannot lend each other bytes.
        let shifted = try open(name: Array("mail/alic".utf8), context: Array("etenant".utf8))
        #expect(shifted == nil)
    }

    /// One object for many secrets, whatever their sizes.
    @Test func oneProtectorForMany() throws {
        let protector = try ContentProtector(group: Identity(patterned(16, seed: 1))!)
        for round in 0..<300 {
            let name = patterned(1 + round % 1024, seed: UInt64(round))
            let context = round % 3 == 0 ? nil : patterned(round * 37 % 20_000, seed: UInt64(round))
            let plaintext = patterned(round * 101 % 5000, seed: UInt64(round))
            let dataKey = patterned(32, seed: UInt64(round) &+ 7)
            let body = try protect(
                plaintext, .bytes, protector, name: name, context: context, birth: 1, dataKey: dataKey)
            let opened = unprotect(body, protector, name: name, context: context, birth: 1, dataKey: dataKey)
            #expect(opened == plaintext)
        }
    }
}
