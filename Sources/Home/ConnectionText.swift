/// What `keyroll.yaml` may say of a server: how to find it, and no secret.
///
/// A textual look, which gives the line; libpq's own parser has the last word when the store is opened.
public enum ConnectionText {
    /// What is wrong with a connection, or nil.
    public static func fault(_ text: String) -> String? {
        guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) else {
            return "'connection' has to be a URI or keywords, such as postgresql://host/database or service=keyroll"
        }
        guard !hasPassword(text) else {
            return "'connection' carries a password; leave it out and put it into the passfile (~/.pgpass, mode 0600)"
        }
        return nil
    }

    /// What is wrong with a schema's name, or nil.
    public static func fault(schema: String) -> String? {
        let isFitting =
            schema.unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
            } && schema.unicodeScalars.first.map { !("0"..."9").contains($0) } == true
        guard isFitting, (1...63).contains(schema.utf8.count), !schema.hasPrefix("pg_") else {
            return "'schema' has to be 1 to 63 of a-z 0-9 _, and not begin with a digit or pg_"
        }
        return nil
    }

    /// `password=`, also as a URI's parameter and however its letters are escaped there, `sslpassword=` as well; and
    /// `user:password@`.
    private static func hasPassword(_ text: String) -> Bool {
        let plain = unescaped(text).lowercased().filter { $0 != " " && $0 != "\t" }
        if plain.contains("password=") { return true }
        guard let scheme = ["postgresql://", "postgres://"].first(where: { text.lowercased().hasPrefix($0) }) else {
            return false
        }
        let rest = text.dropFirst(scheme.count)
        guard let end = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[end] == "@" else { return false }
        return rest[..<end].contains(":")
    }

    /// `%70` is `p`.
    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
