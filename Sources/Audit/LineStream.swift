import Glibc

/// The lines of a part of a file, one after the other, in constant memory.
final class LineStream {
    /// What comes next.
    enum Piece {
        /// A line without its new line. It holds until the next call.
        case line(UnsafeRawBufferPointer)
        /// Bytes at the end without a new line.
        case torn(UnsafeRawBufferPointer)
        /// No new line within the most bytes that a line may have.
        case endless
        /// The part's end.
        case end
    }

    private static let size = 1 << 20
    private let descriptor: Int32
    private let path: String
    private let buffer: UnsafeMutablePointer<UInt8>
    /// Where in the file the next read begins, and where the part ends.
    private var position: Int
    private let end: Int
    /// What of the buffer is not handed out yet.
    private var first = 0
    private var last = 0
    /// Where in the file the next piece begins.
    var offset: Int { position - (last - first) }

    /// - Parameters:
    ///   - descriptor: an open file; it stays the caller's.
    ///   - path: for messages.
    ///   - part: from where to where, in bytes.
    init(_ descriptor: Int32, path: String, part: Range<Int>) {
        self.descriptor = descriptor
        self.path = path
        position = part.lowerBound
        end = part.upperBound
        buffer = .allocate(capacity: Self.size)
    }

    deinit { buffer.deallocate() }

    func next() throws -> Piece {
        var looked = 0
        while true {
            let found = memchr(buffer + first + looked, 10, last - first - looked)
            if let found {
                let length = found.assumingMemoryBound(to: UInt8.self) - (buffer + first)
                let line = UnsafeRawBufferPointer(start: buffer + first, count: length)
                first += length + 1
                return length < LineBuffer.lineLimit ? .line(line) : .endless
            }
            looked = last - first
            if looked >= LineBuffer.lineLimit { return .endless }
            guard try fill() else {
                guard looked > 0 else { return .end }
                let rest = UnsafeRawBufferPointer(start: buffer + first, count: looked)
                first = last
                return .torn(rest)
            }
        }
    }

    /// Reads more behind what is there; false at the end.
    private func fill() throws -> Bool {
        if first > 0 {
            memmove(buffer, buffer + first, last - first)
            last -= first
            first = 0
        }
        while true {
            let wanted = min(Self.size - last, end - position)
            guard wanted > 0 else { return false }
            let count = pread(descriptor, buffer + last, wanted, off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw AuditError.current(path, "cannot read") }
            last += count
            position += count
            return count > 0
        }
    }
}
