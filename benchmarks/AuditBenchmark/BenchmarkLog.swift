import Audit
import Cryptography
import Files
import Foundation

/// A log whose signer lies beside it, so that several processes write to one.
struct BenchmarkLog: Sendable {
    let path: String
    var audit: String { path + "/audit" }
    /// Anything but zeros only.
    static let group = Identity([UInt8](repeating: 7, count: 16))!

    init(_ path: String) { self.path = path }

    /// The key of a measurement is no secret.
    static let seal: AuditLog.Seal = { bytes in
        let key = try SecureBytes(count: 32) { $0.copyBytes(from: [UInt8](repeating: 9, count: 32)) }
        return try bytes.withUnsafeBytes { try Authenticator(key: key).tag($0) }
    }

    /// The signer, made with the first call.
    func signer() throws -> (certificate: Certificate, key: PrivateKey) {
        let file = path + "/signer"
        if !PrivateFile.exists(file) {
            try PrivateFile.makeDirectory(path)
            let key = try PrivateKey.generate()
            let certificate = try Certificate.selfSigned(
                key, name: "benchmark", usage: .signing, from: 1_700_000_000, years: 100)
            try certificate.pem().withUnsafeBytes { try PrivateFile.write(file + ".pem", $0, replacing: true) }
            try key.pem().withUnsafeBytes { try PrivateFile.write(file, $0, replacing: false) }
        }
        let pem = try Data(contentsOf: URL(fileURLWithPath: file))
        let key = try PrivateKey.read(SecureBytes(count: pem.count) { $0.copyBytes(from: pem) })
        let certificates = try Data(contentsOf: URL(fileURLWithPath: file + ".pem")).withUnsafeBytes {
            try Certificate.all(inPEM: $0)
        }
        return (certificates[0], key)
    }

    func open() throws -> AuditLog {
        let signer = try signer()
        return try AuditLog(
            folder: audit, group: Self.group, groupName: "benchmark", signer: { signer }, seal: Self.seal)
    }
}
