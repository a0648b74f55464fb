import Audit
import Cryptography
import Files
import Foundation
import Glibc

/// A log in a folder of its own that goes away with it.
final class LogFolder: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    let path: String
    let group: Identity
    let certificate: Certificate
    let key: PrivateKey
    let sealKey: [UInt8]

    var audit: String { path + "/audit" }

    /// - Parameters:
    ///   - other: one with the same group and keys.
    ///   - parent: where it is made.
    ///   - isShared: with the group and keys of `AuditBenchmark`, so that it writes to the same log.
    init(like other: LogFolder? = nil, in parent: String = NSTemporaryDirectory(), isShared: Bool = false) throws {
        path = parent + "/audit-" + String(UInt64.random(in: .min ... .max), radix: 16)
        try PrivateFile.makeDirectory(path)
        group = try other?.group ?? (isShared ? Identity([UInt8](repeating: 7, count: 16)) : nil) ?? Identity.random()
        key = try other?.key ?? PrivateKey.generate()
        certificate =
            try other?.certificate
            ?? Certificate.selfSigned(key, name: "auditor's signer", usage: .signing, from: 1_700_000_000, years: 100)
        sealKey = try other?.sealKey ?? (isShared ? [UInt8](repeating: 9, count: 32) : Random.publicBytes(32))
        if isShared {
            try certificate.pem().withUnsafeBytes { try PrivateFile.write(path + "/signer.pem", $0, replacing: true) }
            try key.pem().withUnsafeBytes { try PrivateFile.write(path + "/signer", $0, replacing: true) }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var seal: AuditLog.Seal { Self.seal(sealKey) }

    static func seal(_ key: [UInt8]) -> AuditLog.Seal {
        { bytes in
            let secret = try SecureBytes(count: 32) { $0.copyBytes(from: key) }
            return try bytes.withUnsafeBytes { try Authenticator(key: secret).tag($0) }
        }
    }

    func open(
        every: Int = 1000, limit: Int = AuditLog.segmentLimit, forwarder: (any AuditForwarder)? = nil
    ) throws -> AuditLog {
        try AuditLog(
            folder: audit, group: group, groupName: "test group", signer: { [certificate, key] in (certificate, key) },
            seal: seal, checkpointEvery: every, forwarder: forwarder, segmentLimit: limit)
    }

    func verify(
        _ folder: String? = nil, trusted: [Certificate]? = nil, anchor: String? = nil, sealed: Bool = true
    ) throws -> AuditVerdict {
        try AuditVerifier.verify(
            folder: folder ?? audit, trusted: trusted ?? [certificate], group: group, anchor: anchor,
            seal: sealed ? seal : nil)
    }

    /// The names of the segments, in order.
    var segments: [String] {
        FolderListing.names(audit).filter { $0.hasSuffix(".jsonl") }
    }

    /// All bytes of the first segment.
    func bytes(_ name: String? = nil) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: audit + "/" + (name ?? segments[0]))))
    }

    /// Lines without their new lines.
    func lines() throws -> [[UInt8]] {
        try segments.flatMap { try bytes($0).split(separator: 10).map { Array($0) } }
    }

    /// Writes over the one segment, in place.
    func replace(_ bytes: [UInt8], name: String? = nil) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: audit + "/" + (name ?? segments[0])))
    }

    func replace(_ lines: [[UInt8]]) throws { try replace(Array(lines.map { $0 + [10] }.joined())) }
}

extension AuditEvent {
    /// Some event or other.
    static func sample(_ number: Int) -> AuditEvent {
        AuditEvent(
            .unprotect, .done,
            by: AuditActor(uid: 1000, user: "ann", pid: 77, executable: "/usr/bin/keyroll"),
            secret: "db/\(number)", grant: number % 3 == 0 ? "grant-\(number)" : nil,
            approvers: number % 3 == 0 ? ["bob", "eve"] : [], reason: number % 5 == 0 ? "why \"not\"\n" : nil,
            facts: number % 7 == 0 ? [("size", .number(Int64(number))), ("flag", .flag(true))] : [])
    }
}
