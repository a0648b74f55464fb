import Foundation
import Testing

/// The real command line tools, in a folder.
enum Tool {
    static func attempt(_ arguments: [String], in folder: String, input: Data = Data()) throws -> Outcome {
        try Child(
            "/usr/bin/env", ["-C", folder] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"], input: input
        ).wait()
    }

    /// Runs one that has to succeed.
    @discardableResult
    static func run(
        _ arguments: String..., in folder: String, input: Data = Data(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try attempt(arguments, in: folder, input: input)
        try #require(
            outcome.code == 0, "\(arguments.joined(separator: " ")): \(outcome.errors)", sourceLocation: sourceLocation)
        return outcome
    }

    /// A self-signed certificate and its key by `openssl`, as `NAME.pem` and `NAME.key`.
    ///
    /// - Returns: the path of the certificate.
    @discardableResult
    static func makeCertificate(_ name: String, _ kind: String = "P-256", in folder: String) throws -> String {
        let key: [String] =
            kind.hasPrefix("P-")
            ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:\(kind)"] : ["-newkey", kind]
        let arguments: [String] =
            ["openssl", "req", "-x509", "-days", "36500", "-subj", "/CN=\(name)", "-noenc"] + key
            + ["-keyout", "\(name).key", "-out", "\(name).pem"]
        let outcome = try attempt(arguments, in: folder)
        try #require(outcome.code == 0, "\(outcome.errors)")
        return folder + "/\(name).pem"
    }
}
