import Foundation
import Testing

extension BrokerTests {
    /// Requests and their approvals by `openssl cms -sign`.
    @Suite struct ApprovalTests {
        private let home: BrokerHome

        init() throws {
            home = try BrokerHome()
            try home(.service, "put", "mail/alice", input: Data("secret".utf8))
        }

        private func expectRefused(
            _ outcome: Outcome, _ phrase: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            #expect(outcome.code == 77, "\(outcome)", sourceLocation: sourceLocation)
            outcome.expectRefusal(phrase, sourceLocation: sourceLocation)
            try home.expectLogged("accessApproval", "refused", reason: phrase, sourceLocation: sourceLocation)
        }

        /// Two levels, an elliptic curve and RSA, in each form that openssl writes.
        @Test(arguments: Signers.Form.allCases) func theWholeWay(_ form: Signers.Form) throws {
            try home(.engineer, "get", "mail/alice", exits: 77).expectRefusal("keyroll access request")
            let id = try home.ask("mail/*")
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home(.engineer, "access", "show", id, "--statement").text == home.statement(id))
            #expect(try home.statement(id).contains("secrets: mail/*\n"))
            #expect(try home.approve(id, as: .security, by: "security", form).code == 0)
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.standing(id) == "waiting")
            #expect(try home.approve(id, as: .legal, by: "legal", form).code == 0)
            #expect(try home.standing(id) == "granted")
            #expect(try home(.engineer, "get", "mail/alice").text == "secret")
            // Nobody else has it, nor does he have more.
            try home(.outsider, "get", "mail/alice", exits: 77)
            try home(.security, "get", "mail/alice", exits: 77)
            try home(.engineer, "put", "mail/alice", "--replace", input: Data("x".utf8), exits: 77)
            try home(.engineer, "rm", "mail/alice", exits: 77)
            try home(.engineer, "rotate", exits: 77)
            // The log says who approved what was read, and has what they signed.
            let entries = try home.entries()
            let read = try #require(entries.last { $0.kind == "unprotect" && $0.outcome == "done" })
            #expect(read.grant == id && read.user == TestUser.engineer.rawValue && read.secret == "mail/alice")
            #expect(read.approvers == [TestUser.security.rawValue, TestUser.legal.rawValue])
            let approvals = entries.filter { $0.kind == "accessApproval" && $0.outcome == "done" }
            #expect(approvals.count == 2 && approvals.allSatisfy { $0.line.contains("keyroll access request/1") })
        }

        /// What `keyroll access approve --signer --key` signs is as good; what is signed is shown.
        @Test func signedByKeyrollItself() throws {
            let signers = try Signers.shared.get()
            let id = try home.ask("mail/alice")
            for (user, name) in [(TestUser.security, "security"), (.legal, "legal")] {
                let files = try [".pem", ".key"].map { suffix -> String in
                    let content = try Data(contentsOf: URL(fileURLWithPath: signers.folder + "/" + name + suffix))
                    let file = try home.write(name + suffix, content)
                    // A private key that others can read is not taken.
                    chown(file, user.uid, user.gid)
                    chmod(file, 0o600)
                    return file
                }
                let outcome = try home(user, "access", "approve", id, "--signer", files[0], "--key", files[1])
                #expect(outcome.errors.contains("request: \(id)"))
            }
            #expect(try home.engineerReads("mail/alice") == 0)
        }

        @Test func outOfOrder() throws {
            let id = try home.ask("mail/*")
            try expectRefused(home.approve(id, as: .legal, by: "legal"), "level 'security' has to approve first")
            #expect(try home.standing(id) == "waiting")
            #expect(try home.approve(id, as: .security, by: "security").code == 0)
            // A second one of the level that is complete.
            try expectRefused(home.approve(id, as: .guardian, by: "guardian"), "level 'legal' has to approve first")
            #expect(try home.approve(id, as: .legal, by: "legal").code == 0)
            try expectRefused(home.approve(id, as: .guardian, by: "guardian"), "is granted")
        }

        @Test(arguments: Signers.Form.allCases) func replayedForAnotherRequest(_ form: Signers.Form) throws {
            let first = try home.ask("mail/*")
            let second = try home.ask("mail/*")
            let signature = try Signers.shared.get().sign(home.statement(first), by: "security", form)
            try expectRefused(home.approve(second, as: .security, with: signature), "does not fit this text")
            #expect(try home.standing(second) == "waiting")
            #expect(try home.approve(first, as: .security, with: signature).code == 0)
            // And handed in again for its own.
            try expectRefused(home.approve(first, as: .security, with: signature), "counts once")
            try expectRefused(home.approve("abcdefghjkmn", as: .security, with: signature).asRefusal, "no request")
        }

        @Test func byOthersThanApprovers() throws {
            let id = try home.ask("mail/*")
            for name in ["stranger", "owner", "engineer", "expired"] {
                try expectRefused(
                    home.approve(id, as: .security, by: name), "signed by nobody whose signature counts")
            }
            try expectRefused(home.approve(id, as: .security, with: Data()), "no CMS signature")
            try expectRefused(home.approve(id, as: .security, with: Data("yes".utf8)), "no CMS signature")
            // An outsider hands nothing in; the requester may hand in what an approver signed.
            let signature = try Signers.shared.get().sign(home.statement(id), by: "security")
            #expect(try home.approve(id, as: .outsider, with: signature).code == 77)
            #expect(try home.approve(id, as: .engineer, with: signature).code == 0)
            #expect(try home.standing(id) == "waiting")
        }

        @Test func aStatementThatWasAlteredByOneByte() throws {
            let id = try home.ask("mail/*")
            let statement = try home.statement(id)
            let bytes = Array(statement.utf8)
            for index in stride(from: 3, to: bytes.count, by: max(1, bytes.count / 8)) {
                var other = bytes
                other[index] ^= 1
                let signature = try Signers.shared.get().sign(
                    String(decoding: other, as: UTF8.self), by: "security",
                    Signers.Form.allCases[index % Signers.Form.allCases.count])
                try expectRefused(home.approve(id, as: .security, with: signature), "does not fit this text")
            }
            #expect(try home.standing(id) == "waiting")
        }

        /// A policy in which the requester is an approver, one person has two certificates, one certificate has expired,
        /// and two of the first level have to agree.
        private func withOddApprovers() throws -> BrokerHome {
            var policy = TestPolicy()
            policy.levels = [
                TestPolicy.Level(
                    name: "security", approvals: 2,
                    approvers: [
                        (.security, "security"), (.security, "security-2"), (.engineer, "engineer"),
                        (.guardian, "expired"), (.legal, "legal"),
                    ])
            ]
            return try BrokerHome(policy)
        }

        @Test func byTheRequesterTwiceAndByAnExpiredCertificate() throws {
            let home = try withOddApprovers()
            let id = try home.ask("mail/*")
            func refuse(_ user: TestUser, _ name: String, _ phrase: String) throws {
                let outcome = try home.approve(id, as: user, by: name)
                #expect(outcome.code == 77)
                outcome.expectRefusal(phrase)
                try home.expectLogged("accessApproval", "refused", reason: phrase)
            }
            // Whoever hands it in: the certificate says who signed.
            try refuse(.engineer, "engineer", "does not approve the own request")
            try refuse(.security, "engineer", "does not approve the own request")
            try refuse(.guardian, "expired", "has expired")
            #expect(try home.approve(id, as: .security, by: "security").code == 0)
            try refuse(.security, "security", "counts once")
            try refuse(.security, "security-2", "counts once")
            try refuse(.legal, "security-2", "counts once")
            #expect(try home.standing(id) == "waiting")
            #expect(try home.approve(id, as: .legal, by: "legal").code == 0)
            #expect(try home.standing(id) == "granted")
        }

        /// A new policy without a certificate: it approves nothing more, and what it approved lapses at once.
        @Test func byACertificateThatWasRevoked() throws {
            try home(.service, "put", "mail/bob", input: Data("other".utf8))
            let granted = try home.ask("mail/*")
            #expect(try home.approve(granted, as: .security, by: "security").code == 0)
            #expect(try home.approve(granted, as: .legal, by: "legal").code == 0)
            #expect(try home.engineerReads("mail/alice") == 0)
            let waiting = try home.ask("mail/*")
            let early = try Signers.shared.get().sign(home.statement(waiting), by: "security")

            let next = home.policy.next {
                $0.levels[0].approvers = [(.security, "security-2"), (.guardian, "guardian")]
            }
            let files = try home.write(next)
            try home(.owner, "access", "policy", "set", files.document, "--signature", files.signature)
            // Through the broker it holds at once.
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.standing(granted) == "lapsed")
            try expectRefused(
                home.approve(waiting, as: .security, with: early), "signed by nobody whose signature counts")
            #expect(try home.approve(waiting, as: .security, by: "security-2").code == 0)
            #expect(try home.approve(waiting, as: .legal, by: "legal").code == 0)
            #expect(try home.engineerReads("mail/bob") == 0)
        }
    }
}

extension Outcome {
    /// The same as if it had been refused: for a request that is not there the code is another one.
    fileprivate var asRefusal: Outcome {
        var outcome = self
        if outcome.code == 66 { outcome.code = 77 }
        return outcome
    }
}
