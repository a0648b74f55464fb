import Files
import KeyManagement

/// The kinds of key repositories: what one promises the other has to keep.
enum RepositoryKind: CaseIterable, Sendable {
    case sqlite
    case postgres

    /// A place for a ring, of a test's own.
    func make() throws -> any TestedRing {
        switch self {
        case .sqlite: try KeyStore()
        case .postgres: try RingDatabase()
        }
    }
}

/// A place for a ring, which goes away with the test, and its root key.
protocol TestedRing: Sendable {
    var keyRepository: any KeyRepository { get }
    var provider: KeyFileProvider { get }
    /// What the copies are called in messages.
    var places: [String] { get }
    /// The group's name.
    var group: String { get }
    /// What is stored in both copies.
    func rows() throws -> [[[String?]]]
    /// Takes a copy away.
    func lose(_ copy: Int) throws
}

extension TestedRing {
    /// Makes a ring, with generations that are published and not more.
    @discardableResult
    func create(published: Int = 0, policy: Policy = .standard) throws -> RingKeeper {
        let keeper = try RingKeeper.create(in: keyRepository, name: group, policy: policy, provider: provider)
        for number in 0..<published {
            try keeper.publishEscrowed(at: .moment(number), reason: "published for a test")
        }
        return keeper
    }

    /// Makes a ring with some generations that were active one after the other.
    @discardableResult
    func create(rolls: Int) throws -> RingKeeper {
        let keeper = try create()
        for number in 0..<rolls { try keeper.roll(at: .moment(number)) }
        return keeper
    }

    func open() throws -> RingKeeper { try RingKeeper.open(keyRepository, provider: provider) }
}

extension KeyStore: TestedRing {
    var keyRepository: any KeyRepository { repository }
    var places: [String] { paths }
    var group: String { "test" }
    func lose(_ copy: Int) throws { try folder.remove([Self.first, Self.second][copy]) }
}
