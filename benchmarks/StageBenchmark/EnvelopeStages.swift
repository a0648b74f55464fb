import Cryptography

/// CMS as a bundle has it: one generation's key for a P-256 recipient, and a detached ECDSA signature. A batch is one.
struct EnvelopeStages {
    private let key: PrivateKey
    private let certificate: Certificate

    init() throws {
        key = try PrivateKey.generate()
        certificate = try Certificate.selfSigned(
            key, name: "benchmark", usage: .signing, from: 1_700_000_000, years: 100)
    }

    func run(_ recorder: Recorder, times: Int) throws {
        // As long as the material of a bundle: group, identity, number and key.
        let material = try SecureBytes(count: 256) { try Random.fillWithKeyBytes($0) }
        let manifest = try Random.publicBytes(1024)
        for _ in 0..<times {
            var envelope: [UInt8] = []
            try recorder.measure("CMS seal", unit: "messages") {
                envelope = try RecipientEnvelope.seal(material, to: [.certificate(certificate)])
                return 1
            }
            try recorder.measure("CMS open", unit: "messages") {
                guard try RecipientEnvelope.open(envelope, with: .privateKey(key, certificate)).count == 256 else {
                    throw Failure(what: "an envelope holds something else")
                }
                return 1
            }
            var signature: [UInt8] = []
            try recorder.measure("CMS sign", unit: "messages") {
                signature = try SignedMessage.sign(manifest, by: certificate, key, isDetached: true)
                return 1
            }
            try recorder.measure("CMS verify", unit: "messages") {
                _ = try SignedMessage.verify(signature, of: manifest, trusted: [certificate])
                return 1
            }
        }
    }
}
