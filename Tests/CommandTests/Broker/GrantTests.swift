import BrokerWire
import Foundation
import Testing

extension BrokerTests {
    /// What a grant reaches, and how it ends.
    @Suite struct GrantTests {
        private func makeHome(_ limits: [String] = [], _ change: (inout TestPolicy) -> Void = { _ in }) throws
            -> BrokerHome
        {
            var policy = TestPolicy.simple
            policy.limits = limits
            // Root asks as the engineer does: over a connection that the test holds.
            policy.requesters = ["root", TestUser.engineer.rawValue]
            change(&policy)
            let home = try BrokerHome(policy)
            for name in ["mail/alice", "mail/bob", "db/main"] {
                try home(.service, "put", name, input: Data("plain \(name)".utf8))
            }
            return home
        }

        /// A grant for root.
        ///
        /// - Returns: its name, and a connection.
        private func connected(_ home: BrokerHome, _ secrets: String, seconds: Int64) throws -> (String, RawClient) {
            let client = try RawClient(home.socket)
            let asked = try #require(
                try client.ask(
                    .requestAccess(operation: "unprotect", secrets: secrets, seconds: seconds, reason: "ticket 8")))
            let list = try JSONSerialization.jsonObject(with: Data(asked.payload)) as? [[String: Any]]
            let id = try #require(list?.first?["id"] as? String)
            let approved = try home.approve(id, as: .security, by: "security")
            try #require(approved.code == 0, "\(approved.errors)")
            return (id, client)
        }

        @Test func theScopeIsAPattern() throws {
            let home = try makeHome()
            _ = try home.grant("mail/?lice")
            #expect(try home.engineerReads("mail/alice") == 0)
            #expect(try home.engineerReads("mail/bob") == 77)
            #expect(try home.engineerReads("db/main") == 77)
            // Whether a secret of another name exists is not told either.
            #expect(try home.engineerReads("mail/none") == 77)
            #expect(try home.engineerReads("mail/slice") == 66)
        }

        @Test func theScopeIsAnOperation() throws {
            let home = try makeHome()
            _ = try home.grant("mail/alice", operation: "protect")
            #expect(try home.engineerReads("mail/alice") == 77)
            try home(.engineer, "put", "mail/alice", "--replace", input: Data("new".utf8))
            try home(.engineer, "rm", "mail/alice", exits: 77)
            try home(.engineer, "mv", "mail/alice", "mail/bob2", exits: 77)
            try home(.engineer, "put", "mail/bob", "--replace", input: Data("new".utf8), exits: 77)
            #expect(try home(.service, "get", "mail/alice").text == "new")
            for operation in ["remove", "rename", "job", "list", "policy", "audit", "inspect", "Unprotect", ""] {
                let outcome = try home.run(
                    .engineer,
                    ["access", "request", "--secrets", "*", "--for", "1h", "--reason", "x"]
                        + ["--operation", operation])
                #expect(outcome.code != 0 && outcome.output.isEmpty, "\(operation)")
            }
        }

        @Test func durationsAreCapped() throws {
            let home = try makeHome()
            func ask(_ duration: String) throws -> Outcome {
                try home.run(.engineer, ["access", "request", "--secrets", "*", "--for", duration, "--reason", "x"])
            }
            #expect(try ask("4h").code == 0)
            for duration in ["241m", "14401s", "24h", "400d"] {
                let outcome = try ask(duration)
                #expect(outcome.code == 64, "\(outcome)")
                outcome.expectRefusal("at most 14400 seconds")
            }
            #expect(try ask("0").code == 64)
            try home.expectLogged("accessRequest", "refused", by: .engineer, reason: "at most 14400")
            // A policy may say less or more, and no more than a day.
            for (limit, code) in [("24h", Int32(0)), ("24h1s", 78), ("86401s", 78), ("25h", 78), ("0s", 78)] {
                let next = home.policy.next { $0.limits = ["maximumDuration: \(limit)"] }
                let file = try home.write("policy-\(limit).yaml", Data(next.yaml(identity: home.identity).utf8))
                let outcome = try home.run(.owner, ["access", "policy", "check", file])
                #expect((outcome.code == 0) == (code == 0), "\(limit): \(outcome)")
                if code != 0 { outcome.expectErrors(["maximumDuration"]) }
            }
        }

        @Test func aRequestThatWaitedTooLong() throws {
            let home = try makeHome(["maximumWait: 2s"])
            let id = try home.ask("mail/*")
            let signature = try Signers.shared.get().sign(home.statement(id), by: "security")
            sleep(3)
            let late = try home.approve(id, as: .security, with: signature)
            #expect(late.code == 77)
            late.expectRefusal("is expired")
            #expect(try home.standing(id) == "expired")
            #expect(try home.engineerReads("mail/alice") == 77)
        }

        @Test func denied() throws {
            let home = try makeHome()
            let id = try home.ask("mail/*")
            // The requester and an outsider deny nothing.
            for user in [TestUser.engineer, .outsider, .service, .operator] {
                #expect(try home.run(user, ["access", "deny", id, "--reason", "no"]).code == 77, "\(user)")
            }
            #expect(try home.standing(id) == "waiting")
            try home(.security, "access", "deny", id, "--reason", "not this week")
            #expect(try home.standing(id) == "denied")
            let late = try home.approve(id, as: .security, by: "security")
            #expect(late.code == 77)
            late.expectRefusal("is denied")
            #expect(try home(.engineer, "access", "show", id).text.contains("not this week"))
            try home.expectLogged("accessDenial", "done", by: .security)
        }

        /// Between two reads over one connection.
        @Test func revokedAtOnce() throws {
            let home = try makeHome()
            let (id, client) = try connected(home, "mail/*", seconds: 3600)
            #expect(try client.read("mail/alice") == Array("plain mail/alice".utf8))
            #expect(try home.run(.engineer, ["access", "revoke", id]).code == 77)
            #expect(try home.run(.operator, ["access", "revoke", id]).code == 77)
            #expect(try client.read("mail/alice") != nil)
            try home(.security, "access", "revoke", id, "--reason", "enough")
            let failure = try #require(
                try client.failure(.unprotect(name: "mail/alice", context: nil, store: nil)))
            #expect(failure.kind == "access.refused" && failure.exit == 77 && failure.message.contains("is revoked"))
            try home.expectLogged("accessRevocation", "done", by: .security)
            try home.expectLogged("refusal", "refused", secret: "mail/alice", reason: "is revoked")
            #expect(try home.run(.security, ["access", "revoke", id]).code == 77)
        }

        @Test func revokedByTheRequesterAndByAnOwner() throws {
            let home = try makeHome()
            let own = try home.grant("mail/*")
            try home(.engineer, "access", "revoke", own, "--reason", "done with it")
            #expect(try home.engineerReads("mail/alice") == 77)
            let other = try home.grant("mail/*")
            #expect(try home.engineerReads("mail/alice") == 0)
            try home(.owner, "access", "revoke", other)
            #expect(try home.engineerReads("mail/alice") == 77)
            // One that waits, too.
            let waiting = try home.ask("mail/*")
            try home(.engineer, "access", "revoke", waiting)
            #expect(try home.standing(waiting) == "revoked")
        }

        @Test func itEndsBetweenTwoReadsOfOneConnection() throws {
            let home = try makeHome()
            let (id, client) = try connected(home, "mail/*", seconds: 4)
            #expect(try client.read("mail/alice") != nil)
            let start = Date()
            while try client.read("mail/alice") != nil, Date().timeIntervalSince(start) < 20 { usleep(50_000) }
            #expect(Date().timeIntervalSince(start) < 8)
            let failure = try #require(
                try client.failure(.unprotect(name: "mail/alice", context: nil, store: nil)))
            #expect(failure.message.contains("is over"))
            #expect(try home.standing(id) == "over")
            // It is in the log by itself, once.
            sleep(2)
            #expect(try home.entries().filter { $0.kind == "accessEnd" && $0.grant == id }.count == 1)
        }

        @Test func requestsAndGrantsSurviveARestart() throws {
            let home = try makeHome()
            let granted = try home.grant("mail/*")
            let waiting = try home.ask("db/*")
            let revoked = try home.grant("db/*")
            try home(.security, "access", "revoke", revoked)
            for isKilled in [false, true] {
                if isKilled {
                    try home.kill()
                    try home.start()
                } else {
                    try home.restart()
                }
                #expect(try home.standing(granted) == "granted")
                #expect(try home.standing(waiting) == "waiting")
                #expect(try home.standing(revoked) == "revoked")
                #expect(try home.engineerReads("mail/alice") == 0)
                #expect(try home.engineerReads("db/main") == 77)
            }
            #expect(try home.approve(waiting, as: .security, by: "security").code == 0)
            #expect(try home.engineerReads("db/main") == 0)
        }

        /// Somebody with write access to the home's files makes no grant of them.
        @Test func aRequestFileThatWasAlteredDoesNotCount() throws {
            let home = try makeHome()
            let granted = try home.grant("mail/*")
            let waiting = try home.ask("db/*")
            _ = try home.stop()
            let folder = home.path + "/access"
            func edit(_ id: String, _ change: (String) -> String) throws {
                let file = folder + "/" + id + ".json"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let other = change(text)
                #expect(other != text)
                // In place: its owner and mode stay.
                let handle = try #require(FileHandle(forWritingAtPath: file))
                try handle.truncate(atOffset: 0)
                try handle.write(contentsOf: Data(other.utf8))
                try handle.close()
            }
            try edit(granted) { $0.replacing("mail/*", with: "*") }
            // A grant by nothing but the file's say-so.
            try edit(waiting) {
                $0.replacing("\"approvals\":", with: "\"granted\":\"2026-01-01T00:00:00Z\",\"approvals\":")
            }
            try home.start()
            let shown = try home(.security, "access", "list").text
            #expect(!shown.contains(granted) && !shown.contains(waiting))
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.engineerReads("db/main") == 77)
            #expect(
                try home.entries().filter { $0.outcome == "failed" && $0.reason?.contains("was altered") == true }.count
                    == 2)
        }

        /// Put back from a copy that is older than the end: the log knows better.
        @Test func aRequestThatWasPutBackStaysEnded() throws {
            let home = try makeHome()
            let revoked = try home.grant("mail/*")
            let waiting = try home.ask("mail/*")
            let files = FileManager.default
            let folder = home.path + "/access"
            let copies = home.path + "/copies"
            try files.copyItem(atPath: folder, toPath: copies)
            // The first is taken back. The second is granted, and to be approved once more with the same signatures.
            try home(.security, "access", "revoke", revoked)
            #expect(try home.approve(waiting, as: .security, by: "security").code == 0)
            _ = try home.stop()
            for id in [revoked, waiting] {
                let name = "/\(id).json"
                let handle = try #require(FileHandle(forWritingAtPath: folder + name))
                try handle.truncate(atOffset: 0)
                try handle.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: copies + name)))
                try handle.close()
            }
            try home.start()
            #expect(try home.standing(revoked) == "revoked")
            #expect(try home.standing(waiting) == "revoked")
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.approve(waiting, as: .security, by: "security").code == 77)
            #expect(
                try home.entries().filter { $0.outcome == "failed" && $0.reason?.contains("was put back") == true }
                    .count
                    == 2)
        }

        /// A file of one request under another's name, and one of a copy of the home from another day.
        @Test func aRequestFileOfAnotherNameDoesNotCount() throws {
            let home = try makeHome()
            let granted = try home.grant("mail/*")
            _ = try home.stop()
            let folder = home.path + "/access"
            let copy = folder + "/abcdefghjkmn.json"
            try FileManager.default.moveItem(atPath: folder + "/\(granted).json", toPath: copy)
            try home.start()
            #expect(try home.engineerReads("mail/alice") == 77)
        }
    }
}
