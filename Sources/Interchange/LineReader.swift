import Glibc

/// Cuts a file into lines at line feeds. A carriage return before one stays: in JSON it is white space.
///
/// A line is looked at first and dropped later, because it may not fit the batch any more and then has to be there
/// for the next one.
package final class LineReader {
    /// What comes next.
    package enum Line {
        /// A line, without its line feed. In memory it is followed by one, even if the file ends without.
        case line(UnsafePointer<UInt8>, count: Int)
        /// A line longer than the limit. It has been read past already.
        case tooLong
        /// There is nothing more.
        case end
    }

    /// The number of the line that ``peek()`` gave, from 1.
    private(set) var number = 1
    private let buffer: ReadBuffer
    /// How much of the window is known to have no line feed, so that a long line is not searched again and again.
    private var searched = 0
    /// The bytes of the current line with its line feed, 0 if it is not known yet.
    private var lineLength = 0
    private var lineCount = 0

    package init(_ buffer: ReadBuffer) { self.buffer = buffer }

    /// The next line; the same one until ``drop()`` is called.
    package func peek() throws -> Line {
        while lineLength == 0 {
            let rest = buffer.count - searched
            if rest > 0, let found = memchr(buffer.window + searched, 0x0A, rest) {
                lineCount = UnsafeRawPointer(found) - UnsafeRawPointer(buffer.window)
                lineLength = lineCount + 1
                break
            }
            searched = buffer.count
            switch try buffer.refill() {
            case .data: continue
            case .full:
                try skipLine()
                return .tooLong
            case .endOfFile:
                if searched == 0 { return .end }
                lineCount = searched
                lineLength = searched
            }
        }
        return .line(buffer.window, count: lineCount)
    }

    /// Goes on to the next line.
    package func drop() {
        buffer.drop(lineLength)
        lineLength = 0
        searched = 0
        number += 1
    }

    /// Drops bytes until after the next line feed, or to the end of the file. The line stays the current one, with
    /// nothing left of it, until ``drop()``.
    private func skipLine() throws {
        while true {
            buffer.drop(searched)
            searched = 0
            if try buffer.refill() == .endOfFile { return }
            if let found = memchr(buffer.window, 0x0A, buffer.count) {
                buffer.drop(UnsafeRawPointer(found) - UnsafeRawPointer(buffer.window) + 1)
                return
            }
            searched = buffer.count
        }
    }
}
