import Cryptography
public import Files
import FoundationEssentials
import Glibc

/// The records of a home in one file, a JSON object a line, each with the hash of the line before: nothing in the
/// middle can be changed, dropped or moved without its being seen.
public struct EvidenceChain: Sendable {
    /// The file.
    public let path: String
    static let origin = String(repeating: "0", count: 64)
    /// The most bytes that one record takes.
    private static let limit = 1 << 20

    /// - Parameter path: the file; it is made with the first record.
    public init(path: String) { self.path = path }

    /// Why a chain is not believed.
    public struct Broken: Error, Sendable, CustomStringConvertible {
        /// The first record that does not fit.
        public let number: UInt64
        /// One lower-case line.
        public let description: String
    }

    /// Adds a record, durably.
    ///
    /// - Throws: `FileError`.
    public func append(_ kind: String, job: String, _ facts: [String: EvidenceValue], at moment: Timestamp = .now)
        throws
    {
        try append([(kind, facts)], job: job, at: moment)
    }

    /// Adds records, durably and together.
    ///
    /// What a crash tore at the end is taken away, and the next record says how many bytes it had; where that may have
    /// been whole lines, they are kept in a file beside it.
    ///
    /// - Throws: `FileError`.
    public func append(
        _ records: [(kind: String, facts: [String: EvidenceValue])], job: String, at moment: Timestamp = .now
    ) throws {
        guard !records.isEmpty else { return }
        let descriptor = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw FileError.current(path, "cannot lock") }
        }
        let (last, torn) = try tail(descriptor, cuts: true)
        var number = try last.map { try Self.decode($0, path).number } ?? 0
        var previous = try last.map { try Self.hash($0) } ?? Self.origin
        let isFirst = last == nil
        var lines: [UInt8] = []
        for (index, added) in records.enumerated() {
            number += 1
            var record = EvidenceRecord(
                number: number, previous: previous, at: moment.description, job: job, kind: added.kind,
                facts: added.facts)
            if torn > 0, index == 0 { record.facts["tornBytesBefore"] = .number(Int64(torn)) }
            let line = try Self.encode(record)
            previous = try Self.hash(line)
            lines += line + [10]
        }
        guard lseek(descriptor, 0, SEEK_END) >= 0 else { throw FileError.current(path, "cannot seek") }
        try lines.withUnsafeBytes { try PrivateFile.writeAll(descriptor, $0, path: path) }
        guard fsync(descriptor) == 0 else { throw FileError.current(path, "cannot sync") }
        if isFirst { try PrivateFile.syncDirectory(of: path) }
    }

    /// All records, and the hash of the last one; the chain is checked from its beginning.
    ///
    /// - Parameters:
    ///   - count: how many records there have to be at least, as the ring says.
    ///   - anchor: the hash of that record.
    /// - Throws: ``Broken``, `FileError`.
    public func read(
        anchoredAt count: UInt64 = 0, head anchor: String = ""
    ) throws -> (records: [EvidenceRecord], head: String) {
        let (records, hashes) = try readAll()
        if count > 0 {
            guard hashes.count >= Int(clamping: count), hashes[Int(clamping: count) - 1] == anchor else {
                throw Broken(
                    number: min(count, UInt64(hashes.count) + 1),
                    description:
                        "\(path): record \(count) is not there, or not the one that the ring noted: the evidence was cut off or written anew"
                )
            }
        }
        return (records, hashes.last ?? Self.origin)
    }

    /// How many records there are, by the last one, and its hash.
    public func head() throws -> (count: UInt64, head: String) {
        guard PrivateFile.exists(path) else { return (0, "") }
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_SH) != 0 {
            guard errno == EINTR else { throw FileError.current(path, "cannot lock") }
        }
        guard let last = try tail(descriptor, cuts: false).0 else { return (0, "") }
        return (try Self.decode(last, path).number, try Self.hash(last))
    }

    private func readAll() throws -> (records: [EvidenceRecord], hashes: [String]) {
        guard PrivateFile.exists(path) else { return ([], []) }
        guard let bytes = try PrivateFile.read(path, limit: 1 << 30) else {
            throw FileError(.inputOutput, path, "is larger than a gibibyte")
        }
        var records: [EvidenceRecord] = []
        var hashes: [String] = []
        var head = Self.origin
        // What follows the last new line was cut off by a crash; the next record will say so.
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            let expected = UInt64(records.count + 1)
            guard let record = try? Self.decode(line, path), record.number == expected, record.previous == head else {
                throw Broken(
                    number: expected,
                    description: "\(path): record \(expected) does not follow the one before: the evidence was altered")
            }
            records.append(record)
            head = try Self.hash(line)
            hashes.append(head)
        }
        return (records, hashes)
    }

    /// The last record that follows from the ones before it, and how many torn bytes there are behind it, or were where
    /// they are cut off.
    private func tail(_ descriptor: Int32, cuts: Bool) throws -> (ArraySlice<UInt8>?, Int) {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0 else { return (nil, 0) }
        let start = max(0, size - Self.limit)
        var bytes = [UInt8](repeating: 0, count: size - start)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
        guard count == bytes.count else { throw FileError.current(path, "cannot read") }
        let tail = try EvidenceTail(bytes, isWhole: start == 0, path: path)
        if tail.torn > 0, cuts {
            let torn = bytes.suffix(tail.torn)
            // More than a piece of a line: kept, since somebody may want to see whether it was a crash.
            if torn.contains(10) {
                let aside = PrivateFile.temporaryName(beside: path).replacing(".new-", with: ".torn-")
                try Array(torn).withUnsafeBytes { try PrivateFile.write(aside, $0, replacing: false) }
            }
            guard ftruncate(descriptor, off_t(size - tail.torn)) == 0 else {
                throw FileError.current(path, "cannot cut")
            }
        }
        return (tail.last, tail.torn)
    }

    private static func encode(_ record: EvidenceRecord) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(record))
    }

    static func decode(_ line: some Collection<UInt8>, _ path: String) throws -> EvidenceRecord {
        do { return try JSONDecoder().decode(EvidenceRecord.self, from: Data(line)) } catch {
            throw FileError(.inputOutput, path, "the last record is not what keyroll writes")
        }
    }

    static func hash(_ line: some Collection<UInt8>) throws -> String {
        hexadecimal(try Array(line).withUnsafeBytes { try sha256($0) })
    }
}
