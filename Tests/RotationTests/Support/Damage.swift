import Cryptography
import Home
import SecretStores
import TestServers
import Testing

/// Changes to a store that keyroll itself would never make.
extension TestHome {
    /// Runs what stands for the store's kind.
    private func run(sqlite: String, postgres: String) throws {
        switch home.configuration.stores[0].kind {
        case .sqlite: try RawDatabase.run(store.place, sqlite)
        case .postgres(let connection, let schema, _):
            try PostgresServer.run("SET search_path = \(schema); \(postgres)", connection: connection)
        }
    }

    /// Changes the slot of a secret.
    func alterSlot(_ name: String, _ change: (inout [UInt8]) -> Void) throws {
        let secret = try #require(try store.secret(named: Array(name.utf8)))
        var slot = secret.slot
        change(&slot)
        let (page, start) = (secret.place.page, secret.place.slot * Slot.length)
        // SQLite and PostgreSQL count from 1.
        try run(
            sqlite: """
                UPDATE key_page SET slots = CAST(substr(slots, 1, \(start)) || X'\(hexadecimal(slot))'
                    || substr(slots, \(start + Slot.length + 1)) AS BLOB) WHERE page = \(page)
                """,
            postgres: """
                UPDATE key_page SET slots = overlay(slots PLACING '\\x\(hexadecimal(slot))'::bytea FROM \(start + 1))
                WHERE page = \(page)
                """)
    }

    /// Puts another generation's number into the slot of a secret.
    func setGeneration(_ number: UInt32, of name: String) throws {
        try alterSlot(name) { $0.withUnsafeMutableBytes { Slot.setGeneration(number, $0.baseAddress!) } }
    }

    /// Flips a bit of a secret's wrapped key.
    func flipWrappedKey(_ name: String, bit: Int = 100) throws {
        try alterSlot(name) { $0[Slot.wrappedKeyOffset + bit / 8] ^= 1 << UInt8(bit % 8) }
    }

    /// Changes the body of a secret.
    func alterBody(_ name: String, _ change: (inout [UInt8]) -> Void) throws {
        var body = try #require(try store.secret(named: Array(name.utf8))).body
        change(&body)
        try run(
            sqlite: "UPDATE secret SET body = X'\(hexadecimal(body))' WHERE name = '\(name)'",
            postgres: "UPDATE secret SET body = '\\x\(hexadecimal(body))' WHERE name = '\(name)'")
    }

    /// The content of a slot is gone.
    func loseContent(_ name: String) throws {
        let delete = "DELETE FROM secret WHERE name = '\(name)'"
        try run(sqlite: delete, postgres: delete)
    }
}
