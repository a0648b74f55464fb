import Access
import Files
import Testing

@Suite struct AccessRequestTests {
    private let parties: Parties
    private let policy: AccessPolicy

    init() throws {
        parties = try Parties()
        policy = try parties.policy()
    }

    @Test func theStatementSaysEverything() throws {
        var request = try parties.request(policy)
        request.id = "abcdefghjkmn"
        #expect(
            request.statement == """
                keyroll access request/1
                group: mail
                group identity: \(parties.identity)
                request: abcdefghjkmn
                requester: eng (uid 1000)
                operation: unprotect
                secrets: mail/*
                duration: 3600 seconds
                reason: ticket 7
                policy revision: 1
                requested: 2027-01-15T08:00:00Z
                expires: 2027-01-16T08:00:00Z

                """)
        #expect(AccessRequest(statement: request.statement) == request)
    }

    @Test(arguments: [
        "a (uid 7) b", "é ü 漢字 😀", "\u{301}begins with an accent", " spaces  ", "reason: reason: ", "%s\\n\"'",
        "e\u{301} and é", "\u{1F468}", "\u{903}",
    ]) func anyTextComesBack(_ text: String) throws {
        var request = try parties.request(policy, text, reason: text)
        request.group = text
        request.user = text
        let again = try #require(AccessRequest(statement: request.statement))
        #expect(again == request)
        #expect(again.statement.utf8.elementsEqual(request.statement.utf8))
    }

    @Test(arguments: [
        "", "a\u{1160}b", "a\u{3164}b", "a   b", "two\nlines", "a\r", "a\u{0}", "a\u{1B}[1m", "a\u{202E}b",
        "a\u{2066}b", "a\u{200D}b", "a\u{2028}b",
        "a\u{85}b", String(repeating: "x", count: 501),
    ]) func aReasonIsRefused(_ reason: String) {
        #expect { try parties.request(policy, reason: reason) } throws: { ($0 as? AccessError)?.code == .notAccepted }
    }

    @Test(arguments: [0, -1, 4 * 3600 + 1, .max, .min] as [Int64]) func aDurationIsRefused(_ seconds: Int64) {
        #expect { try parties.request(policy, for: seconds) } throws: { ($0 as? AccessError)?.code == .notAccepted }
    }

    @Test(arguments: Access.Operation.allCases) func onlyReadingAndWritingIsAskedFor(_ operation: Access.Operation)
        throws
    {
        if [.unprotect, .protect].contains(operation) {
            _ = try parties.request(policy, to: operation)
        } else {
            #expect { try parties.request(policy, to: operation) } throws: {
                ($0 as? AccessError)?.code == .notAccepted
            }
        }
    }

    /// Every change of one byte gives another request or none; never the same one.
    @Test func everyByteCounts() throws {
        let request = try parties.request(policy)
        let bytes = Array(request.statement.utf8)
        var readable = 0
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << bit
                guard let text = String(validating: other, as: UTF8.self),
                    let read = AccessRequest(statement: text)
                else { continue }
                readable += 1
                #expect(read != request)
                #expect(read.statement.utf8.elementsEqual(other))
            }
        }
        #expect(readable > 50)
        for count in bytes.indices {
            #expect(AccessRequest(statement: String(decoding: bytes[..<count], as: UTF8.self)) == nil)
        }
        for more in ["\n", " ", "x: y\n", "\r\n"] { #expect(AccessRequest(statement: request.statement + more) == nil) }
    }

    @Test func identitiesAreRandomAndSafeInAPath() throws {
        let names = try Set((0..<500).map { _ in try parties.request(policy).id })
        #expect(names.count == 500 && names.allSatisfy { AccessRequest.isIdentity($0) })
        for text in [
            "", "../../../etc", "abcdefghjkm", "abcdefghjkmnp", "ABCDEFGHJKMN", "abcdefghjk/n", "abcdefghjkm\u{0}",
        ] {
            #expect(!AccessRequest.isIdentity(text))
        }
    }
}
