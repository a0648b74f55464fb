import Cryptography
import Files
import KeyManagement
import Testing

/// What a key repository promises to the keepers of several processes.
@Suite struct RepositoryTests {
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    private func stored() throws -> StoredRing { try store.repository.load()[0].content.get() }

    @Test func bothCopiesAreLoadedTheFirstOneFirst() throws {
        try store.create(rolls: 1)
        let copies = try store.repository.load()
        #expect(copies.map(\.place) == store.paths)
        #expect(try copies[0].content.get() == copies[1].content.get())
        #expect(store.repository.place == store.firstPath)
    }

    /// Compare-and-swap by sequence number.
    @Test func aCommitNamesWhatItReplaces() throws {
        try store.create(rolls: 1)
        let present = try stored()
        var next = present
        next.sequence += 1
        for replaced in [present.sequence - 1, present.sequence + 1, .max >> 1] {
            #expect(code { try store.repository.commit(next, replacing: replaced) } == .changedMeanwhile)
        }
        #expect(code { try store.repository.commit(next, replacing: nil) } == .exists)
        #expect(try stored() == present)
        try store.repository.commit(next, replacing: present.sequence)
        #expect(try store.repository.load().map { try $0.content.get() } == [next, next])
        #expect(code { try store.repository.commit(next, replacing: present.sequence) } == .changedMeanwhile)
    }

    /// Two processes found the first copy damaged; one of them mended it and went on. The other one mends late, and
    /// must not put the older ring back.
    @Test func mendingLateDoesNotTurnBack() throws {
        let keeper = try store.create(rolls: 1)
        let old = try stored()
        try keeper.roll()
        let new = try stored()
        try store.repository.heal(with: old, replacing: [store.firstPath]) { _ in true }
        #expect(try stored() == new)
        try keeper.roll()
        #expect(try store.open().keyring.ring.active?.number == 3)
    }

    /// Each on a thread with a keeper of its own, as two processes would.
    @Test(arguments: 0..<8)
    func twoThatRollAtOnce(round: Int) throws {
        try store.create(rolls: 1)
        let published = try inParallel(2) { [store] _ in
            let keeper = try store.open()
            let number = try persistently { try keeper.publish(above: 0, at: .now, reason: "a roll") }
            try persistently { try keeper.update { try $0.note(.ofNothing, of: number) } }
            // The one whose number is the lower may come too late.
            _ = code {
                try persistently { try keeper.update { try $0.activate(number, at: .now, reason: "a roll") } }
            }
            return number
        }
        let ring = try store.open().keyring.ring
        #expect(published.sorted() == [2, 3])
        #expect(ring.generations.map(\.number) == [1, 2, 3])
        #expect(ring.activeNumbers == [3])
        #expect(ring.states[1] == .deactivated)
        #expect(try store.rows()[0] == store.rows()[1])
    }

    /// Many changes from many sides: none is lost, no number is given out twice.
    @Test func manyChangesAtOnce() throws {
        try store.create()
        let numbers = try inParallel(4) { [store] _ in
            let keeper = try store.open()
            return try (0..<10).map { _ in
                try persistently { try keeper.publish(above: 0, at: .now, reason: "") }
            }
        }
        let ring = try store.open().keyring.ring
        #expect(numbers.joined().sorted() == Array(1...40))
        #expect(ring.generations.map(\.number) == Array(1...40))
        #expect(ring.sequence == 40)
    }
}

/// Tries again while others come in between, as a job that is started again would.
private func persistently<R>(_ body: () throws -> R) throws -> R {
    while true {
        do { return try body() } catch let error as KeyManagementError where error.code == .changedMeanwhile {}
    }
}
