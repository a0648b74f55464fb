import Cryptography
public import Files
import Glibc
import Interchange

/// Reads entries as they are stored, one after the other, in constant memory. It believes nothing: what has to be sure is
/// verified.
public struct AuditExport: Sendable {
    /// The first number.
    public var from: UInt64 = 1
    /// The last number.
    public var to: UInt64 = .max
    /// The one kind; nil for all.
    public var kind: AuditEvent.Kind?
    /// The one user's name; nil for all.
    public var user: String?
    /// The one secret's name; nil for all.
    public var secret: String?
    /// The earliest time; nil for all.
    public var since: Timestamp?

    /// Everything.
    public init() {}

    /// Hands out the stored lines that fit, each with its new line.
    ///
    /// - Parameters:
    ///   - folder: the folder with the segments.
    ///   - output: takes a line; it holds for the call only.
    /// - Throws: ``AuditError`` with `missing`, or `altered` at a line that keyroll did not write.
    public func run(_ folder: String, _ output: (UnsafeRawBufferPointer) throws -> Void) throws {
        let extent = try AuditVerifier.Extent(folder, nil)
        guard !extent.segments.isEmpty else { throw AuditError(.missing, "\(folder): there is no audit log here") }
        let (user, secret) = (user.map(Self.escaped), secret.map(Self.escaped))
        let start = extent.segments.lastIndex { $0 <= from } ?? 0
        for first in extent.segments[start...] {
            guard first <= to else { return }
            let segment = try Segment.open(folder, first, forWriting: false)
            let end = try extent.end(of: segment)
            let stream = LineStream(
                segment.descriptor, path: segment.path,
                part: (first < from ? try segment.near(from, size: end) : 0)..<end)
            while case .line(let line) = try stream.next() {
                guard let entry = EntryScanner.scan(line) else {
                    throw AuditError(
                        .altered, "\(segment.path): holds a line that keyroll did not write; see: keyroll audit verify")
                }
                guard entry.number <= to else { return }
                guard entry.number >= from, fits(entry, line, user, secret) else { continue }
                // The new line stands behind it.
                try output(UnsafeRawBufferPointer(start: line.baseAddress, count: line.count + 1))
            }
        }
    }

    private func fits(
        _ entry: ScannedEntry, _ line: UnsafeRawBufferPointer, _ user: [UInt8]?, _ secret: [UInt8]?
    ) -> Bool {
        if let kind, !line[entry.kind].elementsEqual(kind.rawValue.utf8) { return false }
        if let user { guard let range = entry.user, line[range].elementsEqual(user) else { return false } }
        if let secret { guard let range = entry.secret, line[range].elementsEqual(secret) else { return false } }
        if let since {
            guard let at = Moment.seconds(UnsafeRawBufferPointer(rebasing: line[entry.at])), at >= since else {
                return false
            }
        }
        return true
    }

    /// As it stands in a line: there is one way to escape.
    private static func escaped(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { input in
            let count = JSONEscaping.escapedCount(input)
            return [UInt8](unsafeUninitializedCapacity: count) { output, used in
                if let base = output.baseAddress { JSONEscaping.write(input, to: base) }
                used = count
            }
        }
    }

    /// The last whole entry.
    ///
    /// - Throws: ``AuditError`` with `missing`, or `altered`.
    public static func head(_ folder: String) throws -> AuditPosition {
        let extent = try AuditVerifier.Extent(folder, nil)
        let digester = try Digester()
        for first in extent.segments.reversed() {
            let segment = try Segment.open(folder, first, forWriting: false)
            let end = try extent.end(of: segment)
            let stream = LineStream(
                segment.descriptor, path: segment.path, part: try segment.near(.max, size: end)..<end)
            var last: AuditPosition?
            while case .line(let line) = try stream.next() {
                guard let entry = EntryScanner.scan(line) else {
                    throw AuditError(
                        .altered, "\(segment.path): holds a line that keyroll did not write; see: keyroll audit verify")
                }
                last = AuditPosition(number: entry.number, hash: try EntryHash(of: line, digester).text)
            }
            if let last { return last }
        }
        throw AuditError(.missing, "\(folder): there is no audit log here")
    }
}
