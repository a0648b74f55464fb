import Cryptography
import Envelopes

/// CBOR: decoding a message's body, as every job that opens contents does, and whole messages, as imports and exports
/// of COSE do.
struct MessageStages {
    private static let perBatch = 4096
    private static let plaintext = 256

    private let bodies: [UInt8]
    private let length: Int
    private let message: [UInt8]
    private let group: Identity
    private let name = Array("app/0000000000".utf8)

    init() throws {
        group = try Identity.random()
        length = MessageBody.length(plaintext: Self.plaintext, contentType: .bytes)
        let (group, length, name) = (group, length, name)
        let protector = try ContentProtector(group: group)
        let (plaintext, key) = (try Random.publicBytes(Self.plaintext), try Random.publicBytes(32))
        var made = [UInt8](repeating: 0, count: length * Self.perBatch)
        try made.withUnsafeMutableBytes { output in
            for index in 0..<Self.perBatch {
                try plaintext.withUnsafeBytes { plaintext in
                    try name.withUnsafeBytes { name in
                        try key.withUnsafeBytes {
                            try protector.protect(
                                plaintext, name: name, context: nil, birth: 1, contentType: .bytes,
                                dataKey: $0.baseAddress!, into: output.baseAddress! + index * length)
                        }
                    }
                }
            }
        }
        bodies = made
        message =
            made[..<length]
            + Message.recipients(
                KeyIdentifier(group: group, generation: 1),
                wrappedKey: [UInt8](repeating: 0, count: KeyWrap.wrappedLength))
    }

    func run(_ recorder: Recorder, batches: Int) throws {
        for _ in 0..<batches {
            try bodies.withUnsafeBytes { bodies in
                try recorder.measure("CBOR decode, body") {
                    var total = 0
                    for index in 0..<Self.perBatch {
                        let body = UnsafeRawBufferPointer(rebasing: bodies[index * length..<(index + 1) * length])
                        total += try MessageBody.decode(body).plaintextLength
                    }
                    guard total == Self.perBatch * Self.plaintext else { throw Failure(what: "a length is wrong") }
                    return Self.perBatch
                }
            }
            try message.withUnsafeBytes { message in
                try recorder.measure("CBOR decode, message") {
                    for _ in 0..<Self.perBatch {
                        guard try Message(decoding: message).keyIdentifier.generation == 1 else {
                            throw Failure(what: "a generation is wrong")
                        }
                    }
                    return Self.perBatch
                }
            }
            let wrapped = [UInt8](repeating: 0, count: KeyWrap.wrappedLength)
            let identifier = KeyIdentifier(group: group, generation: 1)
            recorder.measure("CBOR encode, recipients and external_aad") {
                var total = 0
                for _ in 0..<Self.perBatch {
                    total += Message.recipients(identifier, wrappedKey: wrapped).count
                    total += ExternalAAD.encoded(group: group, name: name, context: nil, birth: 1).count
                }
                return total > 0 ? Self.perBatch : 0
            }
        }
    }
}
