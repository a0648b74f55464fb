import Glibc

/// A window onto a file: the bytes from `start` to `end` are read and not yet used up.
///
/// What is in it is plaintext, so it is protected memory. It starts at a mebibyte and grows only when one line or row
/// does not fit, up to a limit.
package final class ReadBuffer {
    /// What ``refill()`` did.
    package enum Refill {
        /// There are more bytes now. The window may have moved, but its bytes are the same from `start` on.
        case data
        /// The file is at its end.
        case endOfFile
        /// The window is as large as it may be, and full.
        case full
    }

    /// Bytes read at once, unless told.
    package static let ordinaryCapacity = 1 << 20

    private let file: OpenFile
    private let limit: Int
    private var memory: FlatMemory
    package private(set) var capacity: Int
    private(set) var start = 0
    private(set) var end = 0
    private var isAtEnd = false

    /// - Parameters:
    ///   - file: what to read.
    ///   - capacity: the size to begin with, in bytes.
    ///   - limit: the largest size, in bytes.
    package init(_ file: OpenFile, capacity: Int, limit: Int) throws {
        self.file = file
        self.limit = limit
        self.capacity = min(capacity, limit)
        memory = try FlatMemory(count: self.capacity + Word.size)
    }

    /// The first byte of the window. Valid until the next ``refill()``. `Word.size` bytes behind the window may be
    /// read, whatever they are, and at the end of the file the first of them is a line feed.
    package var window: UnsafePointer<UInt8> { UnsafePointer(memory.bytes + start) }

    /// How many bytes the window has.
    package var count: Int { end - start }

    /// Takes bytes off the beginning of the window.
    package func drop(_ count: Int) {
        assert(count >= 0 && count <= self.count)
        start += count
    }

    /// Reads more bytes behind the window.
    package func refill() throws -> Refill {
        if isAtEnd { return .endOfFile }
        if start == end {
            start = 0
            end = 0
        }
        if end == capacity {
            if start > 0 {
                memmove(memory.bytes, memory.bytes + start, count)
                end -= start
                start = 0
            } else if capacity < limit {
                try grow()
            } else {
                return .full
            }
        }
        let got = try file.read(capacity - end, into: memory.bytes + end)
        end += got
        if got > 0 { return .data }
        isAtEnd = true
        // A last line without a line feed gets one here, outside the window, so that parsers need not ask at every
        // byte whether they are at the end.
        memory.bytes[end] = UInt8(ascii: "\n")
        return .endOfFile
    }

    private func grow() throws {
        let larger = min(capacity * 2, limit)
        let grown = try FlatMemory(count: larger + Word.size)
        memcpy(grown.bytes, memory.bytes, end)
        memory = grown
        capacity = larger
    }
}
