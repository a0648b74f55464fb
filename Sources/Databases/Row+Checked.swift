public import GRDB

/// Columns of a row that somebody may have edited: nil instead of a trap where a value is of another kind.
extension Row {
    /// A whole number.
    public func number(_ name: String) -> Int64? { Int64.fromDatabaseValue(self[name] as DatabaseValue) }

    /// A text.
    public func text(_ name: String) -> String? { String.fromDatabaseValue(self[name] as DatabaseValue) }

    /// Bytes.
    public func bytes(_ name: String) -> [UInt8]? {
        guard case .blob(let data) = (self[name] as DatabaseValue).storage else { return nil }
        return Array(data)
    }
}
