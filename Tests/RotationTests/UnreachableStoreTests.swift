import Databases
import Files
import Foundation
import Home
import Jobs
import KeyManagement
import Keyroll
import Rotation
import SecretStores
import Testing

/// A store that is not there stops nothing but what takes keys away.
@Suite(.timeLimit(.minutes(15))) struct UnreachableStoreTests {
    static let names = ["first.sqlite", "second.sqlite"]

    private func hide(_ home: TestHome, _ name: String) throws {
        for end in ["", "-wal", "-shm"] {
            let path = "\(home.path)/\(name)\(end)"
            if PrivateFile.exists(path) { try FileManager.default.moveItem(atPath: path, toPath: path + ".away") }
        }
    }

    private func show(_ home: TestHome, _ name: String) throws {
        for end in ["", "-wal", "-shm"] {
            let path = "\(home.path)/\(name)\(end)"
            if PrivateFile.exists(path + ".away") {
                try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            }
        }
    }

    @Test func theOthersAreOpened() throws {
        try TestHome.run(stores: Self.names) { home in
            try home.fill(["a"], in: home.home.stores[0])
            try home.fill(["b"], in: home.home.stores[1])
            try hide(home, "first.sqlite")
            let again = try home.again()
            #expect(again.stores.map(\.place) == ["\(home.path)/second.sqlite"])
            #expect(again.namedStores.map(\.name) == ["second"])
            #expect(again.unreachable.map(\.name) == ["first"])
            #expect(again.unreachable.map(\.place) == ["\(home.path)/first.sqlite"])
            #expect((again.unreachable[0].error as? FileError)?.code == .missing)
            #expect(try again.find("b").store.place == "\(home.path)/second.sqlite")
            // Where it is not known whether a name is free, nothing is written: it could hide or be hidden.
            let group = KeyGroup(again)
            for attempt in [
                { try group.get("a") { _ in } }, { try group.put("new", [1]) }, { try group.remove("a") },
                { try group.rename("a", to: "c") }, { try group.get("a", in: "first") { _ in } },
            ] {
                #expect { try attempt() } throws: { ($0 as? HomeError)?.code == .unreachable }
            }
            try group.put("new", [1], in: "second")
            try group.put("b", [2], replacing: true)
            try group.get("b") { #expect(Array($0) == [2]) }
        }
    }

    @Test func withoutAnyItIsTheFirstOnesError() throws {
        try TestHome.run(stores: Self.names) { home in
            for name in Self.names { try hide(home, name) }
            #expect { _ = try home.again() } throws: {
                ($0 as? FileError)?.code == .missing && ($0 as? FileError)?.path == "\(home.path)/first.sqlite"
            }
        }
    }

    /// What is there and wrong is a refusal, not an absence.
    @Test func refusalsStayRefusals() throws {
        try TestHome.run(stores: Self.names) { home in
            let path = "\(home.path)/second.sqlite"
            chmod(path, 0o644)
            #expect { _ = try home.again() } throws: { ($0 as? FileError)?.code == .unsafe }
            try hide(home, "second.sqlite")
            try TestHome.run { other in
                try other.fill(["x"])
                try other.store.copy(to: path)
            }
            #expect { _ = try home.again() } throws: { ($0 as? StoreError)?.code == .otherGroup }
            try Array("no database, and long enough to be looked at".utf8).withUnsafeBytes {
                try PrivateFile.write(path, $0, replacing: true)
            }
            #expect { _ = try home.again() } throws: { ($0 as? DatabaseFailure)?.code == .damaged }
        }
    }

    /// Rotated without it, nothing retired; once it is back it is moved, and then the old generation goes.
    @Test func aRotationGoesOnAndRetiresNothing() throws {
        let policy = Policy(cryptoperiod: 86400, propagationDelay: 0, soakTime: 0, keepDeactivated: 0)
        try TestHome.run(policy: policy, stores: Self.names) { home in
            let (first, second) = (TestHome.names(200, "first"), TestHome.names(300, "second"))
            try home.fill(first, in: home.home.stores[0])
            try home.fill(second, in: home.home.stores[1])
            try hide(home, "second.sqlite")
            let without = try home.again()
            let report = try rotate(without, isForced: true)
            #expect(report.tally.numbers == [200, 200, 0, 0, 0] && report.generation == 2)
            #expect(report.needsAttention && report.unreachable == ["second"] && report.retired.isEmpty)
            #expect(report.notes.contains { $0.contains("store 'second' cannot be reached") })
            #expect(without.keeper.keyring.ring.generation(1)?.emptySince == nil)
            // Also later, when the counters at hand say that nothing needs it.
            #expect(try rotate(home.again()).retired.isEmpty)
            #expect(try home.again().keeper.keyring.ring.generation(1)?.emptySince == nil)
            #expect(try home.again().keeper.keyring.key(1) != nil)

            try show(home, "second.sqlite")
            let back = try home.again()
            #expect(try back.stores[1].marks().fence == 1)
            let later = try rotate(back)
            #expect(later.tally.numbers == [300, 300, 0, 0, 0] && !later.needsAttention && later.unreachable.isEmpty)
            #expect(try back.stores.map { try $0.marks().fence } == [2, 2])
            try home.expectAll(first, in: back.stores[0])
            try home.expectAll(second, in: back.stores[1])
            #expect(try home.again().keeper.keyring.ring.generation(1)?.emptySince != nil)
        }
    }

    /// Away in the middle of a run: the others are done, and it is taken up again.
    @Test func goneWhileItIsRotated() throws {
        let policy = Policy(cryptoperiod: 86400, propagationDelay: 0, soakTime: 0, keepDeactivated: 0)
        try TestHome.run(policy: policy, stores: Self.names) { home in
            try home.fill(TestHome.names(500, "first"), in: home.home.stores[0])
            try home.fill(TestHome.names(300, "second"), in: home.home.stores[1])
            var hooks = WatchedStore.Hooks()
            hooks.pages = 1
            hooks.onRead = { if $0 == 3 { throw FileError(.missing, "the first store", "went away") } }
            let flaky = Home(
                layout: home.home.layout, configuration: home.home.configuration, keeper: home.keeper,
                stores: [WatchedStore(home.home.stores[0], hooks), home.home.stores[1]])
            let report = try rotate(flaky, isForced: true)
            #expect(report.tally.moved == 300 && report.needsAttention && report.unreachable == ["first"])
            #expect(
                report.notes.contains { $0.contains("store 'first' cannot be reached: the first store: went away") })
            #expect(home.keeper.keyring.ring.generation(1)?.emptySince == nil && report.retired.isEmpty)
            try home.expectAll(TestHome.names(500, "first"), in: home.home.stores[0])
            let later = try rotate(home.again())
            #expect(later.tally.failed.total == 0 && !later.needsAttention)
            #expect(try home.home.stores.map { try $0.census().counts } == [[2: 500], [2: 300]])
            // With only one store there is nobody to go on with.
            let alone = Home(
                layout: home.home.layout, configuration: home.home.configuration, keeper: home.keeper,
                stores: [WatchedStore(home.home.stores[0], hooks)], unreachable: try away(home).unreachable)
            #expect { _ = try rotate(alone, isForced: true) } throws: { ($0 as? FileError)?.code == .missing }
        }
    }

    private func away(_ home: TestHome) throws -> Home {
        try hide(home, "second.sqlite")
        return try home.again()
    }

    /// It is as exposed as before until its store was there.
    @Test func aReencryptionIsNotDone() throws {
        try TestHome.run(stores: Self.names) { home in
            try home.fill(["a"], in: home.home.stores[0])
            try home.fill(["b"], in: home.home.stores[1])
            try hide(home, "second.sqlite")
            func run() throws -> (JobReport, Home) {
                let home = try home.again()
                let report = try ReencryptJob(
                    home, compromised: [1], occurred: nil, reason: "a test", options: RunOptions(workers: 1),
                    control: RunControl()
                ).run()
                return (report, home)
            }
            let (report, without) = try run()
            #expect(report.tally.moved == 1 && report.needsAttention && report.unreachable == ["second"])
            #expect(without.keeper.keyring.ring.exposed == [1])
            try show(home, "second.sqlite")
            let (later, back) = try run()
            #expect(later.tally.moved == 1 && !later.needsAttention)
            #expect(back.keeper.keyring.ring.exposed.isEmpty)
            #expect(try back.stores.map { try $0.census().counts } == [[2: 1], [2: 1]])
        }
    }
}
