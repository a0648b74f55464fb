import Glibc

/// A file descriptor that closes itself, with the name to report it by.
package final class OpenFile {
    package let descriptor: Int32
    /// The file's name for messages.
    package let name: String
    private let closesItself: Bool

    /// Takes over an open descriptor.
    package init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        // Standard input is the process's, not ours.
        closesItself = descriptor != STDIN_FILENO
    }

    /// Opens a file for reading. A named pipe is waited for, as a shell's `<(command)` needs.
    package convenience init(path: String, name: String) throws {
        let descriptor = retryingInterrupts { Int(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) }
        guard descriptor >= 0 else { throw ImportError.unreadable(name, errno: errno) }
        self.init(descriptor: Int32(descriptor), name: name)
    }

    deinit {
        if closesItself { close(descriptor) }
    }

    /// Reads up to `count` bytes; 0 at the end of the file.
    package func read(_ count: Int, into bytes: UnsafeMutablePointer<UInt8>) throws -> Int {
        let got = retryingInterrupts { Glibc.read(descriptor, bytes, count) }
        guard got >= 0 else { throw ImportError.unreadable(name, errno: errno) }
        return got
    }
}

/// Calls a system call again as long as a signal interrupts it.
func retryingInterrupts(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
