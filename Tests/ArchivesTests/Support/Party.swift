import Archives
import Cryptography

/// Somebody with a key and a self-signed certificate that the real `openssl` made.
final class Party: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"
        case rsa2048 = "RSA-2048"
        case rsa3072 = "RSA-3072"
        case stranger = "stranger, P-256"
        case strangerRSA = "stranger, RSA-2048"
        /// Its key's file is encrypted under ``Party/passphrase``.
        case encrypted = "encrypted, P-256"

        fileprivate var options: [String] {
            switch self {
            case .p256, .stranger, .encrypted: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            case .p384, .p521: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:\(rawValue)"]
            case .rsa2048, .strangerRSA: ["-newkey", "rsa:2048"]
            case .rsa3072: ["-newkey", "rsa:3072"]
            }
        }
    }

    static let passphrase = "correct horse"
    /// Made once: RSA keys take their time.
    private static let all = Result {
        Dictionary(uniqueKeysWithValues: try Kind.allCases.map { ($0, try Party($0)) })
    }

    static func of(_ kind: Kind) throws -> Party { try all.get()[kind]! }
    static func of(_ kinds: [Kind]) throws -> [Party] { try kinds.map { try of($0) } }

    let description: String
    let folder: TemporaryFolder
    let certificate: Certificate

    var keyPath: String { folder.path + "/key.pem" }
    var certificatePath: String { folder.path + "/certificate.pem" }

    private init(_ kind: Kind) throws {
        description = kind.rawValue
        folder = try TemporaryFolder()
        let protection = kind == .encrypted ? ["-passout", "pass:" + Self.passphrase] : ["-noenc"]
        try Tool.run(
            ["openssl", "req", "-x509", "-days", "36500", "-subj", "/CN=\(kind.rawValue)"] + kind.options + protection
                + ["-keyout", "key.pem", "-out", "certificate.pem"], in: folder.path)
        certificate = try Certificate(folder.bytes("certificate.pem"))
    }

    func privateKey(passphrase: String? = nil) throws -> PrivateKey {
        let ask: PrivateKey.Ask? = passphrase.map { text in { try SecureBytes(Array(text.utf8)) } }
        return try PrivateKey.read(SecureBytes(folder.bytes("key.pem")), ask: ask)
    }

    /// The key's file alone, or with its certificate behind it.
    func recoveryKey(withCertificate: Bool) throws -> RecoveryKey {
        guard withCertificate else { return try RecoveryKey.read(keyPath, ask: nil) }
        let file = try folder.write(
            "both-\(UInt64.random(in: .min ... .max)).pem", folder.bytes("key.pem") + folder.bytes("certificate.pem"))
        return try RecoveryKey.read(file, ask: nil)
    }
}

extension SecureBytes {
    init(_ bytes: [UInt8]) throws {
        let copied = try SecureBytes(count: bytes.count) { $0.copyBytes(from: bytes) }
        self = copied
    }
}
