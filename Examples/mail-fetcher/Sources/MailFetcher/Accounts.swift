import Keyroll

/// The passwords of connected accounts. This is all that an application has to do with keyroll.
struct Accounts {
    let group: KeyGroup

    /// Through the broker where there is one, else the usual home; see `KeyGroup.open`.
    init() throws { group = try KeyGroup.open() }

    /// Keeps an account's password, or a new one in its place.
    ///
    /// The server is the context: it is stored in clear and authenticated, so that a password that somebody moved to another
    /// account's row is not sent to that account's server.
    func connect(_ account: Account, password: UnsafeRawBufferPointer) throws {
        try group.put(account.secret, password, context: account.server, replacing: true)
    }

    /// Lends the password; it is wiped when `use` returns.
    func withPassword<R>(of account: Account, use: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try group.get(account.secret, context: account.server, use: use)
    }

    /// Forgets an account's password.
    func disconnect(_ account: Account) throws { try group.remove(account.secret) }
}

/// One connected account: `alice@mail.example:995`.
struct Account {
    let user: String
    let host: String
    let port: UInt16

    /// What the secret is called.
    var secret: String { "mail/\(user)@\(host)" }
    /// Where the password may be sent.
    var server: String { "\(host):\(port)" }

    init?(_ text: String) {
        guard let at = text.lastIndex(of: "@"), let colon = text.lastIndex(of: ":"), at < colon,
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        (user, host) = (String(text[..<at]), String(text[text.index(after: at)..<colon]))
        self.port = port
        guard !user.isEmpty, !host.isEmpty, !text.contains(where: \.isNewline) else { return nil }
    }
}
