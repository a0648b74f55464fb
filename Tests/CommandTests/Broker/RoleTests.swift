import Foundation
import Glibc
import Testing

extension BrokerTests {
    /// What each user of the machine may do: the kernel and the broker see to it.
    @Suite struct RoleTests {
        private static let files = ["keys.sqlite", "keys-copy.sqlite", "root.key", "secrets.sqlite", "keyroll.yaml"]

        /// Whether the kernel lets a user read a file.
        private func reads(_ user: TestUser, _ file: String) throws -> Bool {
            let words = user.command(["/usr/bin/head", "-c", "1", file])
            let outcome = try Child(
                words[0], Array(words.dropFirst()), environment: ["PATH": "/usr/bin", "LC_ALL": "C"]
            )
            .wait()
            if outcome.code != 0 { #expect(outcome.errors.contains("Permission denied"), "\(outcome.errors)") }
            return outcome.code == 0
        }

        private func expectNoFile(_ user: TestUser, of home: BrokerHome) throws {
            for file in Self.files {
                #expect(FileManager.default.fileExists(atPath: home.path + "/" + file), "\(file)")
                #expect(try !reads(user, home.path + "/" + file), "\(user) reads \(file)")
            }
        }

        @Test func aServicePutsAndGets() throws {
            let home = try BrokerHome()
            let secret = Data((0...255).map { UInt8($0) } + [10])
            try home(.service, "put", "mail/alice", "--context", "host a", input: secret)
            #expect(try home(.service, "get", "mail/alice").output == secret)
            #expect(try home(.service, "get", "mail/alice", "--context", "host a").output == secret)
            try home(.service, "get", "mail/alice", "--context", "host b", exits: 65).expectRefusal("mail/alice")
            try home(.service, "put", "mail/alice", input: secret, exits: 73).expectRefusal("mail/alice")
            try home(.service, "put", "mail/alice", "--replace", input: Data())
            #expect(try home(.service, "get", "mail/alice").output.isEmpty)
            try home(.service, "mv", "mail/alice", "mail/bob")
            #expect(try home(.service, "list").text == "mail/bob\n")
            try home(.service, "get", "mail/alice", exits: 66).expectRefusal("mail/alice")
            try home(.service, "rm", "mail/bob")
            try home(.service, "rm", "mail/bob", exits: 66)
            // It is no operator.
            try home(.service, "rotate", "--force", exits: 77).expectRefusal("is not operator")
            try home(.service, "status", exits: 77)
            // Nor does it reach the files.
            try expectNoFile(.service, of: home)
            // Those of the setting-up, which opens the home directly, are none of its.
            let entries = try home.entries().filter { $0.line.contains("\"\(TestUser.service.rawValue)\"") }
            #expect(entries.filter { $0.kind == "unprotect" && $0.outcome == "done" }.count == 3)
            #expect(entries.filter { $0.kind == "unprotect" && $0.outcome == "failed" }.count == 2)
            #expect(entries.filter { $0.kind == "protect" && $0.outcome == "done" }.count == 2)
            #expect(entries.contains { $0.kind == "rename" && $0.outcome == "done" && $0.line.contains("mail/bob") })
            #expect(entries.allSatisfy { !$0.line.contains(secret.base64EncodedString().prefix(20)) })
        }

        /// The service's own role is by a supplementary group; taken away from the process, it is nobody.
        @Test func aSupplementaryGroupCounts() throws {
            let home = try BrokerHome()
            try home(.service, "put", "one", input: Data("x".utf8))
            let bare = try Child(
                "/usr/bin/setpriv",
                ["--reuid", TestUser.service.rawValue, "--regid", TestUser.service.rawValue, "--clear-groups"]
                    + ["/usr/bin/env", "KEYROLL_BROKER=\(home.socket)", "\(BrokerHome.command.get())", "get", "one"],
                environment: ["PATH": "/usr/bin"]
            ).wait()
            #expect(bare.code == 77, "\(bare.errors)")
            bare.expectRefusal("is not reader")
            // And an outsider with that group gets in: groups are what counts, not names.
            let lent = try Child(
                "/usr/bin/setpriv",
                ["--reuid", TestUser.outsider.rawValue, "--regid", TestUser.outsider.rawValue]
                    + ["--groups", TestUser.services]
                    + ["/usr/bin/env", "KEYROLL_BROKER=\(home.socket)", "\(BrokerHome.command.get())", "get", "one"],
                environment: ["PATH": "/usr/bin"]
            ).wait()
            #expect(lent.text == "x", "\(lent.errors)")
        }

        @Test func anOutsiderIsRefusedByTheKernelAndByTheBroker() throws {
            let home = try BrokerHome()
            try home(.service, "put", "mail/alice", input: Data("secret".utf8))
            try expectNoFile(.outsider, of: home)
            let plain = try BrokerHome.start(.outsider, ["get", "mail/alice", "--home", home.path]).wait()
            #expect(plain.code == 77, "\(plain.errors)")
            try home(.outsider, "get", "mail/alice", exits: 77).expectRefusal(TestUser.outsider.rawValue)
            try home(.outsider, "put", "mine", input: Data("x".utf8), exits: 77)
            try home(.outsider, "rm", "mail/alice", exits: 77)
            try home(.outsider, "mv", "mail/alice", "b", exits: 77)
            try home(.outsider, "list", exits: 77)
            try home(.outsider, "status", exits: 77)
            try home(.outsider, "rotate", exits: 77)
            try home(.outsider, "access", "list", exits: 77)
            try home(.outsider, "access", "policy", "show", exits: 77)
            try home(.outsider, "access", "request", "--secrets", "*", "--for", "1h", "--reason", "why not", exits: 77)
            #expect(try home(.service, "list").text == "mail/alice\n")
            let refused = try home.entries().filter { $0.user == TestUser.outsider.rawValue }
            #expect(refused.count == 10 && refused.allSatisfy { $0.outcome == "refused" }, "\(refused)")
            #expect(refused.contains { $0.secret == "mail/alice" && $0.uid == Int(TestUser.outsider.uid) })
        }

        @Test func anOperatorRotatesAndReadsNothing() throws {
            let home = try BrokerHome()
            for index in 0..<20 { try home.direct("put", "s\(index)", input: Data("plain \(index)".utf8)) }
            try home(.operator, "rotate", "--force")
            #expect(try (home(.operator, "status", "--json").decoded() as Census).counts == [2: 20])
            let report: Report = try home(.operator, "verify", "--json").decoded()
            #expect(report.addsUp && report.current == 20)
            try home(.operator, "list")
            for arguments in [["get", "s1"], ["put", "s1", "--replace"], ["rm", "s1"], ["mv", "s1", "t"]] {
                let outcome = try home.run(.operator, arguments, input: Data("x".utf8))
                #expect(outcome.code == 77, "\(arguments): \(outcome.errors)")
                #expect(outcome.output.isEmpty)
            }
            // What the broker does not run for anybody.
            for arguments in [["export", "--format", "jsonl"], ["backup", "/tmp/never"], ["import", "-"]] {
                let outcome = try home.run(.operator, arguments)
                #expect(outcome.code != 0 && outcome.output.isEmpty, "\(arguments): \(outcome.text)")
            }
            try expectNoFile(.operator, of: home)
            #expect(try home(.service, "get", "s7").text == "plain 7")
            try home.expectLogged("job", "done", by: .operator)
        }

        /// Neither the broker's memory nor its open files can be had by anybody else; nor by its own user's processes.
        @Test(arguments: [TestUser.operator, .outsider, .broker]) func theMemoryIsTheBrokersAlone(_ user: TestUser)
            throws
        {
            let home = try BrokerHome()
            let pid = try home.broker.pid
            for place in ["mem", "maps", "environ", "fd/0", "map_files", "root/etc/passwd"] {
                let words = user.command(["/usr/bin/cat", "/proc/\(pid)/\(place)"])
                let outcome = try Child(
                    words[0], Array(words.dropFirst()), environment: ["PATH": "/usr/bin", "LC_ALL": "C"]
                ).wait()
                #expect(outcome.code != 0 && outcome.output.isEmpty, "\(user) reads \(place)")
                #expect(outcome.errors.contains("Permission denied"), "\(outcome.errors)")
            }
            // PTRACE_SEIZE, by number: it would not stop the broker.
            let script = """
                import ctypes
                libc = ctypes.CDLL(None, use_errno=True)
                libc.ptrace.argtypes = [ctypes.c_long] * 4
                print(libc.ptrace(0x4206, \(pid), 0, 0), ctypes.get_errno())
                """
            let words = user.command(["/usr/bin/python3", "-c", script])
            let outcome = try Child(words[0], Array(words.dropFirst()), environment: ["PATH": "/usr/bin"]).wait()
            #expect(outcome.text == "-1 1\n", "\(outcome)")
            // Its files are the kernel's to keep, and it goes on.
            try home(.service, "put", "one", input: Data("x".utf8))
        }

        @Test func anAuditorReadsTheLogAndNoSecret() throws {
            let home = try BrokerHome()
            try home(.service, "put", "mail/alice", input: Data("secret".utf8))
            try home(.service, "get", "mail/alice")
            try home(.auditor, "status", "--json")
            try home(.auditor, "list")
            try home(.auditor, "access", "list")
            for arguments in [
                ["get", "mail/alice"], ["put", "b"], ["rm", "mail/alice"], ["rotate", "--force"], ["verify"],
                ["generation", "create"],
            ] {
                let outcome = try home.run(.auditor, arguments, input: Data("x".utf8))
                #expect(outcome.code == 77, "\(arguments): \(outcome.errors)")
            }
            try expectNoFile(.auditor, of: home)
            let log = home.path + "/audit"
            #expect(
                try !reads(.auditor, log + "/" + #require(FileManager.default.contentsOfDirectory(atPath: log).first)))
            // Where this keyroll has the commands for it.
            guard try home.run(.auditor, ["audit", "head"]).code != 64 else { return }
            try home(.auditor, "audit", "verify")
            let export = try home(.auditor, "audit", "export", "--kind", "unprotect")
            #expect(export.text.contains("mail/alice") && !export.text.contains("\"secret\":\"secret\""))
            try home(.service, "audit", "export", exits: 77)
            try home(.operator, "audit", "head", exits: 77)
        }
    }
}
