import Foundation
import Glibc
import TestServers
import Testing

/// The example application, `Examples/mail-fetcher`, against a real mail server.
@Suite struct MailFetcherTests {
    private static let isRoot = geteuid() == 0
    private static let binary = (Keyroll.binary as NSString).deletingLastPathComponent + "/MailFetcher"

    /// An account with a password and three messages.
    private func server() throws -> Dovecot { try Dovecot(user: "alice", password: "correct horse", messages: 3) }

    private func run(_ variables: [String: String], _ verb: String, _ port: UInt16, input: String = "") throws
        -> Outcome
    {
        try Child(
            Self.binary, [verb, "alice@localhost:\(port)"],
            environment: ["PATH": "/usr/bin:/bin"].merging(variables) { $1 }, input: Data(input.utf8)
        ).wait()
    }

    @Test(.enabled(if: isRoot, "SKIPPED: a mail server takes root"))
    func fetchesBeforeAndAfterARotation() throws {
        let server = try server()
        let home = try ScratchHome()
        let fetch = { try run(["KEYROLL_HOME": home.path], "fetch", server.ports[0]) }

        let before = try fetch()
        #expect(before.code == 1 && before.errors.contains("mail/alice@localhost"), "\(before.errors)")
        let connected = try run(["KEYROLL_HOME": home.path], "connect", server.ports[0], input: "correct horse\n")
        #expect(connected.code == 0, "\(connected.errors)")
        #expect(try home.keyroll("get", "mail/alice@localhost").text == "correct horse")
        let first = try fetch()
        #expect(first.text == "alice@localhost:\(server.ports[0]): 3 messages\n", "\(first.errors)")
        try home.keyroll("rotate", "--force")
        #expect(try home.census().counts == [2: 1])
        #expect(try fetch().text == first.text)

        _ = try run(["KEYROLL_HOME": home.path], "connect", server.ports[0], input: "wrong\n")
        let refused = try fetch()
        #expect(refused.code == 1 && refused.errors.contains("the server says -ERR"), "\(refused.errors)")
        #expect(try run(["KEYROLL_HOME": home.path], "disconnect", server.ports[0]).code == 0)
        #expect(try fetch().code == 1)
    }

    /// The server is authenticated with the password: what was stored for one is not sent to another.
    @Test(.enabled(if: isRoot, "SKIPPED: a mail server takes root"))
    func sendsThePasswordToItsOwnServerOnly() throws {
        let server = try server()
        let home = try ScratchHome()
        _ = try run(["KEYROLL_HOME": home.path], "connect", server.ports[0], input: "correct horse\n")
        #expect(try run(["KEYROLL_HOME": home.path], "fetch", server.ports[0]).code == 0)
        let other = try run(["KEYROLL_HOME": home.path], "fetch", server.ports[1])
        #expect(other.code == 1 && !other.errors.contains("the server says"), "\(other.errors)")
    }

    /// The same binary, without a key of its own.
    @Test(.enabled(if: isRoot, "SKIPPED: a mail server takes root"))
    func asksTheBroker() throws {
        let server = try server()
        let home = try BrokerHome(.servingRoot)
        let variables = ["KEYROLL_BROKER": home.socket]
        #expect(try run(variables, "connect", server.ports[0], input: "correct horse\n").code == 0)
        let fetched = try run(variables, "fetch", server.ports[0])
        #expect(fetched.text.hasSuffix(": 3 messages\n"), "\(fetched.errors)")
        let read = try home.entries().filter { $0.kind == "unprotect" }
        #expect(read.count == 1)
    }

    /// What the documentation shows is what was just run.
    @Test func theDocumentationShowsThisCode() throws {
        let code = try String(
            contentsOfFile: "\(Python.package)/Examples/mail-fetcher/Sources/MailFetcher/Accounts.swift",
            encoding: .utf8)
        let page = try String(
            contentsOfFile: "\(Python.package)/Sources/Keyroll/Keyroll.docc/Keyroll.md", encoding: .utf8)
        let shown = try #require(code.range(of: "\n/// One connected account")).lowerBound
        #expect(page.contains("```swift\n\(code[..<shown])```\n"))
    }
}
