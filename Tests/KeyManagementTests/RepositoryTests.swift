import Cryptography
import Files
import KeyManagement
import Testing

/// What a key repository promises to the keepers of several processes, whatever its kind is.
@Suite struct RepositoryTests {
    private func stored(_ store: any TestedRing) throws -> StoredRing {
        try store.keyRepository.load()[0].content.get()
    }

    @Test(arguments: RepositoryKind.allCases)
    func bothCopiesAreLoadedTheFirstOneFirst(kind: RepositoryKind) throws {
        let store = try kind.make()
        try store.create(rolls: 1)
        let copies = try store.keyRepository.load()
        #expect(copies.map(\.place) == store.places)
        #expect(try copies[0].content.get() == copies[1].content.get())
        #expect(store.places[0].hasPrefix(store.keyRepository.place))
    }

    /// Compare-and-swap by sequence number.
    @Test(arguments: RepositoryKind.allCases)
    func aCommitNamesWhatItReplaces(kind: RepositoryKind) throws {
        let store = try kind.make()
        try store.create(rolls: 1)
        let present = try stored(store)
        var next = present
        next.sequence += 1
        for replaced in [present.sequence - 1, present.sequence + 1, .max >> 1] {
            #expect(code { try store.keyRepository.commit(next, replacing: replaced) } == .changedMeanwhile)
        }
        #expect(code { try store.keyRepository.commit(next, replacing: nil) } == .exists)
        #expect(try stored(store) == present)
        try store.keyRepository.commit(next, replacing: present.sequence)
        #expect(try store.keyRepository.load().map { try $0.content.get() } == [next, next])
        #expect(code { try store.keyRepository.commit(next, replacing: present.sequence) } == .changedMeanwhile)
    }

    /// Two processes found the first copy damaged; one of them mended it and went on. The other one mends late, and
    /// must not put the older ring back.
    @Test(arguments: RepositoryKind.allCases)
    func mendingLateDoesNotTurnBack(kind: RepositoryKind) throws {
        let store = try kind.make()
        let keeper = try store.create(rolls: 1)
        let old = try stored(store)
        try keeper.roll()
        let new = try stored(store)
        try store.keyRepository.heal(with: old, replacing: [store.places[0]]) { _ in true }
        #expect(try stored(store) == new)
        try keeper.roll()
        #expect(try store.open().keyring.ring.active?.number == 3)
    }

    /// A ring that is there, or half of one, is in the way of a new one.
    @Test(arguments: RepositoryKind.allCases, [0, 1])
    func oneCopyIsEnoughToBeInTheWay(kind: RepositoryKind, copy: Int) throws {
        let store = try kind.make()
        try store.create(rolls: 1)
        #expect(code { try store.create() } == .exists)
        try store.lose(copy)
        #expect(code { try store.create() } == .exists)
        #expect(try store.open().keyring.ring.active?.number == 1)
        #expect(try store.rows()[0] == store.rows()[1])
    }

    /// Keys, states and policy come back as they were, and after another keeper's change as that left them.
    @Test(arguments: RepositoryKind.allCases)
    func whatIsStoredComesBack(kind: RepositoryKind) throws {
        let store = try kind.make()
        let policy = Policy(cryptoperiod: 10, propagationDelay: 20, soakTime: .max, keepDeactivated: 40)
        let keeper = try store.create(published: 2, policy: policy)
        let other = try store.open()
        #expect(other.keyring.ring == keeper.keyring.ring)
        #expect(other.keyring.ring.policy == policy && other.repaired.isEmpty)
        for number in 1...2 as ClosedRange<UInt32> { #expect(other.keyBytes(number) == keeper.keyBytes(number)) }
        try keeper.roll()
        try keeper.update { $0.adopt(.standard) }
        #expect(other.keyring.ring.active == nil)
        #expect(try other.reload().ring == keeper.keyring.ring)
        #expect(try store.open().keyring.ring.policy == .standard)
    }

    /// Sealed anew under another root key, in one commit; the old one no longer opens it.
    @Test(arguments: RepositoryKind.allCases)
    func theRootKeyChanges(kind: RepositoryKind) throws {
        let store = try kind.make()
        let keeper = try store.create(rolls: 2)
        let key = keeper.keyBytes(2)
        let folder = try TemporaryFolder()
        let provider = KeyFileProvider(path: folder.path + "/root-2.key")
        try provider.create()
        _ = try keeper.changeRoot(to: provider)
        #expect(code { _ = try store.open() } == .wrongRootKey)
        #expect(code { _ = try keeper.reload() } == .wrongRootKey)
        let opened = try RingKeeper.open(store.keyRepository, provider: provider)
        #expect(opened.keyBytes(2) == key && opened.repaired.isEmpty)
        #expect(try store.rows()[0] == store.rows()[1])
    }

    /// Each on a thread with a keeper of its own, as two processes would.
    @Test(arguments: 0..<8, RepositoryKind.allCases)
    func twoThatRollAtOnce(round: Int, kind: RepositoryKind) throws {
        let store = try kind.make()
        try store.create(rolls: 1)
        let published = try inParallel(2) { _ in
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
    @Test(arguments: RepositoryKind.allCases)
    func manyChangesAtOnce(kind: RepositoryKind) throws {
        let store = try kind.make()
        try store.create()
        let numbers = try inParallel(4) { _ in
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
