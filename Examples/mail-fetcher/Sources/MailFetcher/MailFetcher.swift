import Glibc

/// Looks for new mail in connected accounts, whose passwords keyroll keeps.
@main
enum MailFetcher {
    static func main() {
        do { try run(Array(CommandLine.arguments.dropFirst())) } catch {
            end(1, "\(error)")
        }
    }

    private static func run(_ words: [String]) throws {
        guard words.count == 2, let account = Account(words[1]) else {
            end(64, "usage: mail-fetcher connect|fetch|disconnect USER@HOST:PORT")
        }
        let accounts = try Accounts()
        switch words[0] {
        case "connect":
            try withLine { try accounts.connect(account, password: $0) }
            print("\(words[1]) is connected")
        case "fetch":
            let mailbox = try Mailbox(account)
            try accounts.withPassword(of: account) { try mailbox.logIn(account.user, $0) }
            print("\(words[1]): \(try mailbox.count()) messages")
        case "disconnect":
            try accounts.disconnect(account)
            print("\(words[1]) is forgotten")
        default:
            end(64, "there is no '\(words[0])'")
        }
    }

    private static func end(_ code: Int32, _ message: String) -> Never {
        let line = "mail-fetcher: \(message)\n"
        _ = write(2, line, line.utf8.count)
        exit(code)
    }

    /// Lends a line of standard input, and wipes it.
    private static func withLine(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 16)
        defer {
            explicit_bzero(bytes.baseAddress!, bytes.count)
            bytes.deallocate()
        }
        let count = max(0, read(0, bytes.baseAddress, bytes.count))
        try body(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes[..<count].firstIndex(of: 10) ?? count)]))
    }
}
