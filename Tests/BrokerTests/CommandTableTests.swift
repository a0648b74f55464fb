import Access
import Broker
import Testing

/// Nothing that a caller writes makes a worker read or write what is not the home's.
@Suite struct CommandTableTests {
    private func isTaken(_ arguments: [String]) -> Bool { (try? CommandTable.check(arguments)) != nil }

    private func arguments(_ entry: CommandTable.Entry) -> [String] {
        entry.words + (0..<entry.operands.lowerBound).map { "\($0 + 1)" }
    }

    private static let forbidden = [
        "--home", "--broker", "--passphrase-fd", "--signer-passphrase-fd", "--key-passphrase-fd", "--key", "--signer",
        "--recovery-key", "--archive-key", "--output", "--out", "-o", "--file", "--socket", "--forward",
        "--root-key", "--repository-connection", "--connection", "--to-file", "--trusted", "--folder", "-h", "--help",
        "--version", "--generate-completion-script", "--", "-", "--experimental-dump-help", "---", "-x", "--yes",
    ]

    @Test func noPathHomeDescriptorOrBrokerGetsThrough() {
        for entry in CommandTable.entries {
            let plain = arguments(entry)
            #expect(isTaken(plain), "\(plain)")
            for option in Self.forbidden {
                for more in [[option], [option, "/tmp/x"], ["\(option)=/tmp/x"]] {
                    // Wherever it stands.
                    for place in 0...plain.count {
                        var words = plain
                        words.insert(contentsOf: more, at: place)
                        #expect(!isTaken(words), "\(words)")
                        #expect(!isTaken(CommandTable.canonical(words)), "\(words)")
                    }
                }
            }
            // Nor as the value of an option, nor behind one that lacks its value.
            for option in entry.options {
                #expect(isTaken(plain + [option, "1"]), "\(plain) \(option)")
                #expect(!isTaken(plain + [option]), "\(plain) \(option)")
                for value in ["--home", "-1", "--", "-"] { #expect(!isTaken(plain + [option, value])) }
                #expect(!isTaken(plain + ["\(option)=--home", "/tmp/x"]))
            }
            for flag in entry.flags { #expect(isTaken(plain + [flag]) && !isTaken(plain + [flag + "x"])) }
        }
    }

    @Test(arguments: [
        [], [""], ["get", "a"], ["put", "a"], ["export"], ["import", "-"], ["init"], ["backup", "/tmp/x"], ["recover"],
        ["broker"], ["access", "policy", "set"], ["archive", "restore"], ["archive", "recipient", "add"],
        ["generation", "destroy", "1"], ["generation"], ["store", "add"], ["--json", "status"], ["status", "extra"],
        ["rotate", "a"], ["list", "quarantine"], ["Status"], ["status "], ["quarantine", "accept"],
    ]) func isNotRun(_ arguments: [String]) {
        #expect { try CommandTable.check(arguments) } throws: { ($0 as? AccessError)?.code == .notAccepted }
    }

    @Test func lengthsAreBounded() {
        #expect(isTaken(["archive", "create"] + (0..<1000).map { "\($0)" }))
        #expect(!isTaken(["archive", "create"] + (0..<1001).map { "\($0)" }))
        #expect(!isTaken(["explain", String(repeating: "x", count: 2049)]))
        #expect(!isTaken(["explain", "a\u{0}b"]))
    }

    @Test func whoMayWhat() throws {
        #expect(try CommandTable.check(["rotate", "--force", "--workers", "2"]).operation == .job)
        #expect(try CommandTable.check(["status", "--json"]).operation == .inspect)
        #expect(try CommandTable.check(["quarantine", "list"]).operation == .inspect)
        #expect(try CommandTable.check(["list", "--prefix", "a"]).operation == .list)
        // None that a person who sees no plaintext may run prints one.
        #expect(CommandTable.entries.allSatisfy { ![.unprotect, .protect, .policy].contains($0.operation) })
        #expect(
            CommandTable.canonical(["a", "--b=c=d", "e=f", "--", "-x=1"]) == ["a", "--b", "c=d", "e=f", "--", "-x=1"])
    }
}
