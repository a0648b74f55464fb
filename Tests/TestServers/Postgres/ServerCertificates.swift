import Foundation
import Glibc

/// An authority and the certificates that it gave to servers, made by the `openssl` command.
package final class ServerCertificates: Sendable {
    /// What a certificate is like.
    package enum Kind: String, Sendable, CaseIterable {
        /// For `localhost`, and valid.
        case good
        /// For `localhost`, until yesterday.
        case expired
        /// For another host's name.
        case otherHost
    }

    private static let common = Result { try ServerCertificates() }

    /// Those of all servers of a process.
    package static var shared: ServerCertificates { get throws { try common.get() } }

    /// The authority's certificate, as libpq's `sslrootcert`.
    package var authority: String { folder.path + "/authority.pem" }
    private let folder: ServerFolder

    private init() throws {
        folder = try ServerFolder { _ in "" }
        try request("authority", "/CN=keyroll's tests", "-x509", "-days", "30")
        for kind in Kind.allCases {
            let host = kind == .otherHost ? "elsewhere.example" : "localhost"
            try request(kind.rawValue, "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)")
            try openssl(
                "x509", "-req", "-in", "\(kind.rawValue).pem", "-out", "\(kind.rawValue).pem",
                "-CA", "authority.pem", "-CAkey", "authority.key", "-copy_extensions", "copy", "-days",
                kind == .expired ? "-1" : "30")
        }
        chmod(authority, 0o644)
    }

    /// A new key with a request, or with a certificate that it signs itself.
    private func request(_ name: String, _ subject: String, _ more: String...) throws {
        let words = ["req", "-subj", subject, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        try openssl(words + ["-keyout", "\(name).key", "-out", "\(name).pem"] + more)
    }

    private func openssl(_ words: String...) throws { try openssl(words) }

    private func openssl(_ words: [String]) throws {
        try Program.run(["/usr/bin/env", "-C", folder.path, "openssl"] + words)
    }

    /// Copies a certificate and its key into a server's folder.
    func copy(_ kind: Kind, to target: String) throws -> (certificate: String, key: String) {
        let paths = (certificate: target + "/server.pem", key: target + "/server.key")
        // A standby begins with its primary's.
        for path in [paths.certificate, paths.key] { unlink(path) }
        try FileManager.default.copyItem(atPath: "\(folder.path)/\(kind.rawValue).pem", toPath: paths.certificate)
        try FileManager.default.copyItem(atPath: "\(folder.path)/\(kind.rawValue).key", toPath: paths.key)
        chmod(paths.key, 0o600)
        return paths
    }
}
