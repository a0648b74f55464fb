import Cryptography
import Glibc

/// Text that is about to be written, in protected memory that grows as needed and is wiped after.
///
/// `@unchecked Sendable`: like a ``RecordBatch`` it is handed from thread to thread, and whoever has it is the only
/// one who touches it.
public final class ExportBuffer: @unchecked Sendable {
    /// How many bytes wait to be written.
    public private(set) var count = 0

    private let ordinaryCapacity: Int
    private var memory: FlatMemory

    /// Makes an empty buffer.
    ///
    /// - Parameter capacity: the size to begin with, in bytes; 1 MiB unless told.
    /// - Throws: what `SecureBytes` throws when there is no memory.
    public init(capacity: Int = 1 << 20) throws {
        precondition(capacity > 0, "a buffer needs room")
        ordinaryCapacity = capacity
        memory = try FlatMemory(count: capacity)
    }

    /// The bytes that wait, valid until the next call that changes the buffer.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.bytes, count: count) }

    /// How many bytes fit at present.
    package var capacity: Int { memory.count }

    /// Writes all of it to a file descriptor, and resets the buffer.
    ///
    /// - Throws: ``ExportError`` with `unwritable`; the buffer is reset all the same, since nobody can tell what part
    ///   of it was written.
    public func flush(to descriptor: Int32) throws {
        defer { reset() }
        var written = 0
        while written < count {
            let result = write(descriptor, memory.bytes + written, count - written)
            if result >= 0 {
                written += result
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            default:
                throw ExportError(.unwritable, reason: "cannot write the export: \(systemReason(errno))")
            }
        }
    }

    /// Wipes the bytes, and gives back what was grown for a large secret.
    public func reset() {
        if memory.count > ordinaryCapacity, let smaller = try? FlatMemory(count: ordinaryCapacity) {
            memory = smaller
        } else {
            wipe(UnsafeMutableRawBufferPointer(start: memory.bytes, count: count))
        }
        count = 0
    }

    /// Makes room for more bytes, and returns where they go.
    func reserve(_ more: Int) throws -> UnsafeMutablePointer<UInt8> {
        if count + more > memory.count {
            let grown = try FlatMemory(count: max(count + more, memory.count * 2))
            memcpy(grown.bytes, memory.bytes, count)
            memory = grown
        }
        return memory.bytes + count
    }

    /// Takes in bytes that were written where ``reserve(_:)`` said.
    func advance(_ more: Int) {
        assert(count + more <= memory.count)
        count += more
    }
}
