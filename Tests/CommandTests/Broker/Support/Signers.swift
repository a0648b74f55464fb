import Foundation
import Testing

/// Certificates and what they sign, all by `openssl`. Made once for a run.
final class Signers: Sendable {
    /// Where they lie; every user may read them.
    let folder: String

    static let shared = Result { try Signers() }

    private init() throws {
        folder = "/tmp/keyroll-test-\(getpid())-signers"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["owner", "other-owner", "security", "security-2", "guardian", "engineer", "stranger"] {
            try Tool.makeCertificate(name, in: folder)
        }
        try Tool.makeCertificate("legal", "rsa:2048", in: folder)
        // Valid in the years before this one.
        let outcome = try Child(
            "/usr/bin/env",
            ["-C", folder, "openssl", "req", "-x509", "-days", "30", "-subj", "/CN=expired", "-noenc"]
                + ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "expired.key"]
                + ["-out", "expired.pem"],
            environment: [
                "PATH": "/usr/bin:/bin", "LD_PRELOAD": try OtherClock.library.get(),
                "CLOCK_OFFSET": "-\(400 * 86400)",
            ]
        ).wait()
        try #require(outcome.code == 0, "\(outcome.errors)")
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/keyroll-test-\(getpid())-signers") }
    }

    /// A certificate as PEM.
    func certificate(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name).pem", encoding: .utf8)
    }

    /// How openssl writes a signature.
    enum Form: String, CaseIterable, Sendable {
        /// Its default: S/MIME, the text in it with carriage returns.
        case smime
        case pem
        case der
        /// S/MIME with the text inside the signature.
        case opaque

        var options: [String] {
            switch self {
            case .smime: []
            case .pem: ["-binary", "-outform", "PEM"]
            case .der: ["-binary", "-outform", "DER"]
            case .opaque: ["-nodetach", "-binary"]
            }
        }
    }

    /// Signs a text.
    func sign(_ text: String, by name: String, _ form: Form = .pem) throws -> Data {
        let outcome = try Tool.attempt(
            ["openssl", "cms", "-sign", "-signer", "\(name).pem", "-inkey", "\(name).key"] + form.options,
            in: folder, input: Data(text.utf8))
        try #require(outcome.code == 0, "\(outcome.errors)")
        return outcome.output
    }
}
