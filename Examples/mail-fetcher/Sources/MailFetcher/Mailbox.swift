import Glibc

/// A session with a POP3 server (RFC 1939). Without TLS, to keep the example short: for a server on this machine only.
struct Mailbox: ~Copyable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private let stream: UnsafeMutablePointer<FILE>

    init(_ account: Account) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(account.host, String(account.port), &hints, &found) == 0, let found else {
            throw Failed(description: "there is no host \(account.host)")
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard descriptor >= 0, Glibc.connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0,
            let stream = fdopen(descriptor, "r+")
        else { throw Failed(description: "\(account.server) does not answer") }
        // What is sent is not kept in a buffer of the library: a password is among it.
        setvbuf(stream, nil, _IONBF, 0)
        do { _ = try Self.answer(stream) } catch {
            fclose(stream)
            throw error
        }
        self.stream = stream
    }

    deinit { fclose(stream) }

    /// Logs in. The password goes from keyroll's memory to the socket, and no copy of it is made here.
    func logIn(_ user: String, _ password: UnsafeRawBufferPointer) throws {
        try ask("USER \(user)")
        guard !password.contains(where: { $0 == 10 || $0 == 13 }) else {
            throw Failed(description: "the password has a line's end in it")
        }
        fputs("PASS ", stream)
        fwrite(password.baseAddress, 1, password.count, stream)
        fputs("\r\n", stream)
        _ = try Self.answer(stream)
    }

    /// How many messages wait.
    func count() throws -> Int {
        let words = try ask("STAT").split(separator: " ")
        guard let count = words.first.flatMap({ Int($0) }) else { throw Failed(description: "STAT is not understood") }
        return count
    }

    @discardableResult
    private func ask(_ line: String) throws -> String {
        fputs(line + "\r\n", stream)
        return try Self.answer(stream)
    }

    private static func answer(_ stream: UnsafeMutablePointer<FILE>) throws -> String {
        var line = [CChar](repeating: 0, count: 513)
        guard fgets(&line, 513, stream) != nil else { throw Failed(description: "the server hung up") }
        let text = String(decoding: line.prefix { $0 != 0 && $0 != 13 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("+OK") else { throw Failed(description: "the server says \(text)") }
        return String(text.dropFirst(3).drop { $0 == " " })
    }
}
