/// One row of a query.
///
/// Somebody may have edited the file: a column of another kind is nil here, and never a trap.
public struct Row: Sendable {
    let names: [String]
    let values: [Value]

    /// One value as SQLite has it.
    enum Value: Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob([UInt8])

        var number: Int64? { if case .integer(let number) = self { number } else { nil } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    /// A whole number.
    public func number(_ name: String) -> Int64? { value(name)?.number }

    /// A text.
    public func text(_ name: String) -> String? { value(name)?.text }

    /// Bytes.
    public func bytes(_ name: String) -> [UInt8]? {
        guard case .blob(let bytes)? = value(name) else { return nil }
        return bytes
    }

    private func value(_ name: String) -> Value? { names.firstIndex(of: name).map { values[$0] } }
}
