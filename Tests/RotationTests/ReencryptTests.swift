import Files
import KeyManagement
import Protection
import Rotation
import SecretStores
import Testing

/// New data keys for what a compromised generation may have exposed.
@Suite struct ReencryptTests {
    @Test(arguments: TestHome.Kind.allCases) func onlyWhatWasExposed(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(300, "one"))
            try home.roll()
            _ = try home.rewrap(job: "rewrap")
            try home.fill(TestHome.names(200, "two"))
            try home.roll()
            try home.fill(TestHome.names(100, "three"))
            // Those of 1 have gone through 2; those of 3 have not.
            let outcome = try home.reencrypt([2])
            #expect(outcome.tally.numbers == [600, 500, 100, 0, 0])
            #expect(try home.store.census().counts == [3: 600])
            #expect(try home.store.secret(named: Array("one 7".utf8))?.birth == 3)
            let all = TestHome.names(300, "one") + TestHome.names(200, "two") + TestHome.names(100, "three")
            try home.expectAll(all)
            #expect(try home.reencrypt([2], job: "again").tally.numbers == [600, 0, 600, 0, 0])
        }
    }

    /// The old wrapped key with its generation opens nothing that is there now.
    @Test(arguments: TestHome.Kind.allCases) func anOldSlotIsWorthless(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(["a"])
            let old = try #require(try home.store.secret(named: [0x61]))
            try home.roll()
            _ = try home.reencrypt([1])
            var mixed = try #require(try home.store.secret(named: [0x61]))
            #expect(mixed.slot != old.slot && mixed.body != old.body)
            mixed.slot = old.slot
            #expect(throws: SecretCipher.Failure.self) {
                try SecretCipher.unprotect(mixed, group: home.store.group, keys: KeySource(home.keeper)) { _, _ in }
            }
        }
    }

    /// What does not open stays as it is, and is named.
    @Test(arguments: TestHome.Kind.allCases) func failures(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(100))
            try home.roll()
            try home.flipWrappedKey("name 1")
            try home.alterBody("name 2") { $0[20] ^= 1 }
            try home.alterBody("name 3") { $0 = [] }
            let outcome = try home.reencrypt([1])
            #expect(outcome.tally.addsUp && outcome.tally.numbers == [100, 97, 0, 0, 3])
            #expect(outcome.tally.failed[.integrityCheckFailed] == 2 && outcome.tally.failed[.malformed] == 1)
            #expect(Set(try home.store.quarantine().map(\.name)) == ["name 1", "name 2", "name 3"])
            try home.expectAll(TestHome.names(100), closed: ["name 1", "name 2", "name 3"])
        }
    }
}
