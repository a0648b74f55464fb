import Cryptography
import Files
import Glibc
import KeyManagement

/// Gets a passphrase from a descriptor or the terminal: never from an argument or the environment, which other
/// processes can read. It goes straight into locked memory.
struct Passphrase {
    private static let limit = 1024
    let descriptor: Int32?
    let isNew: Bool

    func ask() throws -> SecureBytes {
        if let descriptor { return try Self.line(descriptor, "descriptor \(descriptor)") }
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw KeyManagementError(
                .rootKeyUnavailable,
                "the root key comes from a passphrase, and there is no terminal; use --passphrase-fd N")
        }
        defer { close(terminal) }
        let first = try Self.prompt(isNew ? "New passphrase: " : "Passphrase: ", terminal)
        guard isNew else { return first }
        let second = try Self.prompt("Once more: ", terminal)
        let same = first.withUnsafeBytes { left in second.withUnsafeBytes { equalInConstantTime(left, $0) } }
        guard same else {
            throw KeyManagementError(.rootKeyUnavailable, "the two passphrases differ; nothing was changed")
        }
        return first
    }

    private static func prompt(_ text: String, _ terminal: Int32) throws -> SecureBytes {
        var settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else {
            throw KeyManagementError(.rootKeyUnavailable, "the terminal cannot be set to hide the passphrase")
        }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        // A signal that ends the process must not leave the terminal without echo.
        EchoGuard.terminal = terminal
        EchoGuard.settings = settings
        for number in EchoGuard.signals { signal(number, EchoGuard.restore) }
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &settings)
            for number in EchoGuard.signals { signal(number, SIG_DFL) }
            _ = write(terminal, "\n", 1)
        }
        _ = write(terminal, text, text.utf8.count)
        return try line(terminal, "the terminal")
    }

    /// One line without its end.
    private static func line(_ descriptor: Int32, _ place: String) throws -> SecureBytes {
        var room = try SecureBytes(count: limit)
        var used = 0
        while used < limit {
            let count = room.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + used, 1) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw KeyManagementError(.rootKeyUnavailable, "cannot read the passphrase from \(place)")
            }
            if count == 0 || room.withUnsafeBytes({ $0[used] }) == 10 { break }
            used += 1
        }
        guard used < limit else {
            throw KeyManagementError(
                .rootKeyUnavailable, "the passphrase from \(place) is longer than \(limit - 1) bytes")
        }
        guard used > 0 else { throw KeyManagementError(.rootKeyUnavailable, "the passphrase from \(place) is empty") }
        let length = used
        return try room.withUnsafeBytes { try SecureBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
    }
}

/// Gives the terminal its echo back when a signal comes at the prompt.
private enum EchoGuard {
    static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
    // nonisolated(unsafe): written before the handler is set, read by it.
    nonisolated(unsafe) static var terminal: Int32 = -1
    nonisolated(unsafe) static var settings = termios()

    /// tcsetattr, signal and raise may be called in a handler (signal-safety(7)).
    static let restore: @convention(c) (Int32) -> Void = { number in
        tcsetattr(EchoGuard.terminal, TCSANOW, &EchoGuard.settings)
        signal(number, SIG_DFL)
        raise(number)
    }
}
