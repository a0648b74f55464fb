import Cryptography
import Files
import KeyManagement
import Testing

/// A key store with its root key in a folder of its own.
final class KeyStore: Sendable {
    let folder: TemporaryFolder

    static let first = "keys.sqlite"
    static let second = "keys-copy.sqlite"

    init() throws {
        folder = try TemporaryFolder()
        try provider.create()
    }

    var firstPath: String { folder.path + "/" + Self.first }
    var secondPath: String { folder.path + "/" + Self.second }
    var paths: [String] { [firstPath, secondPath] }
    var provider: KeyFileProvider { KeyFileProvider(path: folder.path + "/root.key") }
    var repository: SQLiteKeyRepository { SQLiteKeyRepository(path: firstPath, copy: secondPath) }

    /// The rows of both copies.
    func rows() throws -> [[[String?]]] { try paths.map(Self.row) }

    static func row(_ path: String) throws -> [[String?]] {
        try RawDatabase.run(
            path,
            """
            SELECT sequence, hex(group_identity), hex(root_key_check), hex(root_key_parameters), hex(document), hex(mac)
            FROM ring
            """)
    }
}

extension Timestamp {
    /// Days after some day.
    static func moment(_ days: Int) -> Timestamp { Timestamp(rawValue: 1_760_000_000 + Int64(days) * 86400) }
}

extension RingKeeper {
    /// Publishes, and notes a bundle as if there were one: what is in it is other tests' business.
    @discardableResult
    func publishEscrowed(above seen: UInt32 = 0, at moment: Timestamp = .now, reason: String) throws -> UInt32 {
        let number = try publish(above: seen, at: moment, reason: reason)
        try update { try $0.note(.ofNothing, of: number) }
        return number
    }

    /// Publishes and activates.
    @discardableResult
    func roll(at moment: Timestamp = .now) throws -> UInt32 {
        let number = try publishEscrowed(at: moment, reason: "a roll")
        try update { try $0.activate(number, at: moment, reason: "a roll") }
        return number
    }

    /// The bytes of a generation's key. Only for keys that protect nothing.
    func keyBytes(_ number: UInt32) -> [UInt8]? {
        keyring.key(number).map { key in key.bytes.withUnsafeBytes { Array($0) } }
    }
}

extension Ring {
    /// Numbers and states, in order.
    var states: [UInt32: GenerationState] {
        Dictionary(uniqueKeysWithValues: generations.map { ($0.number, $0.state) })
    }

    var activeNumbers: [UInt32] { generations.filter { $0.state == .active }.map(\.number) }
}

/// The code of the error that `body` throws; nil where it throws another one or none.
func code(of body: () throws -> Void) -> KeyManagementError.Code? {
    do { try body() } catch { return (error as? KeyManagementError)?.code }
    return nil
}

extension Escrow {
    /// A bundle that is none.
    static var ofNothing: Escrow {
        Escrow(
            file: "none", digest: [UInt8](repeating: 0, count: 32), written: .moment(0), recipients: [], rehearsed: nil)
    }
}
