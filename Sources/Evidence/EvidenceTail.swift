import Files

/// The end of a chain as a crash may have left it.
///
/// Records are synced before others are added, so that what a power cut tore is one addition at most: a line without its
/// end, or, where sectors of it came to the disk and others did not, anything, new lines in it or not. Lines of several
/// additions behind one that does not fit are no crash: somebody altered it, and nothing may be cut off.
struct EvidenceTail {
    /// The last record that follows from those before it.
    let last: ArraySlice<UInt8>?
    /// How many bytes there are behind it.
    let torn: Int

    /// - Parameters:
    ///   - bytes: the chain's last bytes.
    ///   - isWhole: whether they begin with the first record, and not somewhere in a line.
    ///   - path: for messages.
    /// - Throws: `FileError` where more than one addition does not fit.
    init(_ bytes: some Collection<UInt8>, isWhole: Bool, path: String) throws {
        let bytes = Array(bytes)
        var lines: [Line] = []
        var start = isWhole ? 0 : (bytes.firstIndex(of: 10).map { $0 + 1 } ?? bytes.count)
        while let end = bytes[start...].firstIndex(of: 10) {
            lines.append(Line(start..<end))
            start = end + 1
        }
        // From the end back to where the last addition begins: usually all there is to look at.
        var from = lines.count
        while from > 0 {
            from -= 1
            guard let record = lines[from].read(bytes, path), record.isAddedWith(lines.last?.record) else { break }
        }
        if let good = try Self.followed(&lines, from: from, bytes, isWhole: isWhole, path) {
            last = bytes[good.range]
            torn = bytes.count - good.range.upperBound - 1
            return
        }
        // Something does not fit: from the beginning on, up to there.
        guard let good = try Self.followed(&lines, from: 0, bytes, isWhole: isWhole, path, upTo: true) else {
            guard isWhole, Self.isOneAddition(lines[...], bytes, path) else { throw Self.altered(path) }
            (last, torn) = (nil, bytes.count)
            return
        }
        guard Self.isOneAddition(lines[(good.index + 1)...], bytes, path) else { throw Self.altered(path) }
        last = bytes[good.range]
        torn = bytes.count - good.range.upperBound - 1
    }

    private struct Line {
        let range: Range<Int>
        var record: EvidenceRecord?
        var isRead = false

        init(_ range: Range<Int>) { self.range = range }

        mutating func read(_ bytes: [UInt8], _ path: String) -> EvidenceRecord? {
            if !isRead { record = try? EvidenceChain.decode(bytes[range], path) }
            isRead = true
            return record
        }
    }

    /// The last line, where each from `from` on follows the one before; with `upTo` the last one that does.
    private static func followed(
        _ lines: inout [Line], from: Int, _ bytes: [UInt8], isWhole: Bool, _ path: String, upTo: Bool = false
    ) throws -> (index: Int, range: Range<Int>)? {
        var good: Int?
        var previous: (number: UInt64, hash: String)? = isWhole && from == 0 ? (0, EvidenceChain.origin) : nil
        for index in from..<lines.count {
            guard let record = lines[index].read(bytes, path),
                previous.map({ $0.number + 1 == record.number && $0.hash == record.previous }) ?? true
            else {
                if upTo { break }
                return nil
            }
            previous = (record.number, try EvidenceChain.hash(bytes[lines[index].range]))
            good = index
        }
        return good.map { ($0, lines[$0].range) }
    }

    /// Whether all records in these lines were added together.
    private static func isOneAddition(_ lines: ArraySlice<Line>, _ bytes: [UInt8], _ path: String) -> Bool {
        let records = lines.compactMap { line in
            var line = line
            return line.read(bytes, path)
        }
        return records.allSatisfy { $0.isAddedWith(records.first) }
    }

    private static func altered(_ path: String) -> FileError {
        FileError(.inputOutput, path, "its last records are not what keyroll writes: the evidence was altered")
    }
}

extension EvidenceRecord {
    fileprivate func isAddedWith(_ other: EvidenceRecord?) -> Bool {
        other.map { $0.job == job && $0.at == at } ?? true
    }
}
