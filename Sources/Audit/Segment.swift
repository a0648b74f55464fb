import Files
import Glibc

/// One file of the log: `00000000000000000001.jsonl`, named by the number of its first entry.
final class Segment {
    /// The number of its first entry.
    let first: UInt64
    let path: String
    let descriptor: Int32

    private init(_ first: UInt64, _ path: String, _ descriptor: Int32) {
        self.first = first
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Opens one that is there.
    ///
    /// - Parameter forWriting: refuse what others can reach, and open it for writing.
    static func open(_ folder: String, _ first: UInt64, forWriting: Bool) throws -> Segment {
        let path = folder + "/" + name(first)
        if forWriting { try PrivateFile.check(path) }
        let descriptor = Glibc.open(path, (forWriting ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        return Segment(first, path, descriptor)
    }

    /// Makes a new one; its name is on the disk before anything is in it.
    static func create(_ folder: String, _ first: UInt64) throws -> Segment {
        let path = folder + "/" + name(first)
        let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw AuditError.current(path, "cannot create") }
        let segment = Segment(first, path, descriptor)
        fchmod(descriptor, 0o600)
        try PrivateFile.syncDirectory(of: path)
        return segment
    }

    /// Its size in bytes.
    func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw AuditError.current(path, "cannot look") }
        return Int(status.st_size)
    }

    /// The numbers of the first entries of all segments in a folder, ascending.
    static func all(_ folder: String) -> [UInt64] { FolderListing.names(folder).compactMap(first(ofName:)).sorted() }

    static func name(_ first: UInt64) -> String {
        let digits = String(first)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl"
    }

    private static func first(ofName name: String) -> UInt64? {
        guard name.utf8.count == 26, name.hasSuffix(".jsonl"), let number = UInt64(name.dropLast(6)), number > 0,
            Self.name(number) == name
        else { return nil }
        return number
    }

    /// The place of the first line whose number is `number` or more, found by halving: lines are in order.
    ///
    /// - Returns: the place of a line at or somewhat before it; from there on, lines are read one after the other.
    func near(_ number: UInt64, size: Int) throws -> Int {
        var low = 0
        var high = size
        let window = 2 * LineBuffer.lineLimit
        while high - low > 2 * window {
            let middle = low + (high - low) / 2
            let stream = LineStream(descriptor, path: path, part: middle..<min(middle + window, high))
            // What is cut off in the middle of a line tells nothing.
            guard case .line = try stream.next() else { break }
            let place = stream.offset
            guard case .line(let line) = try stream.next(), let found = EntryScanner.number(line) else { break }
            if found <= number { low = place } else { high = middle }
        }
        return low
    }
}
