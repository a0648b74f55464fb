import Cryptography
import PostgreSQL

/// Where in a database a group's ring lies, and the roles whose members may do something with it.
///
/// One schema holds the rings of several groups, a row each; the server shows a role the rows of its own groups.
public struct RingPlace: Sendable, Equatable {
    /// The schema of a new home.
    public static let usualSchema = "keyroll_ring"

    /// The schema.
    public let schema: String
    /// The group's name.
    public let group: String
    /// Its members read the ring, and so protect and unprotect.
    public let reader: String
    /// Its members change the ring, and so roll and retire, but not the policy; they are readers.
    public let `operator`: String
    /// Its members may do everything; they are operators and auditors.
    public let owner: String
    /// Its members see the history, and of the ring nothing.
    public let auditor: String
    /// Owns schema and tables; it cannot log in and has no members.
    let tables: String

    /// - Parameters:
    ///   - group: the group's name.
    ///   - schema: up to 40 lower-case letters, digits and underscores, not beginning with a digit or `pg_`.
    /// - Throws: `ServerFailure` with `configuration`.
    public init(group: String, schema: String = usualSchema) throws {
        guard Self.isSchema(schema) else { throw ServerFailure(.configuration, "'\(schema)'", Self.schemaRule) }
        self.schema = schema
        self.group = group
        // Roles are the whole server's: groups of one name in two databases need schemas of two names.
        let prefix = schema == Self.usualSchema ? "keyroll" : schema
        let base = try Self.bounded("\(prefix)_\(group)")
        reader = base + "_reader"
        `operator` = base + "_operator"
        owner = base + "_owner"
        auditor = base + "_auditor"
        tables = prefix + "_tables"
    }

    /// What may be a schema's name.
    public static let schemaRule =
        "a ring's schema has to be 1 to 40 lower-case letters, digits and underscores, not beginning with a digit or pg_"

    /// Whether a name may be a schema's: it stands in SQL as it is, and begins the names of roles.
    public static func isSchema(_ name: String) -> Bool {
        let first = name.utf8.first ?? 0x30
        return name.utf8.count <= 40 && name.utf8.allSatisfy(isPlain) && !(0x30...0x39).contains(first)
            && !name.hasPrefix("pg_")
    }

    /// The ring's table, qualified, or another one of the schema.
    func table(_ name: String) -> String { "\(schema).\(name)" }

    /// A role's name has 63 bytes at most. One that had to be altered ends with eight digits of the name's digest, so
    /// that no two groups share their roles.
    private static func bounded(_ name: String) throws -> String {
        let longest = 63 - "_operator".utf8.count
        let plain = String(decoding: name.utf8.map { isPlain($0) ? $0 : 0x5F }, as: UTF8.self)
        guard plain != name || plain.utf8.count > longest else { return name }
        let digest = try Array(name.utf8).withUnsafeBytes { try sha256($0) }
        return plain.prefix(longest - 9) + "_" + hexadecimal(digest.prefix(4))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }
}
