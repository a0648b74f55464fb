/// What can stand for a `?` in SQL.
public protocol DatabaseValue {
    /// Binds a copy of itself. Places count from 1.
    func bind(to statement: RawStatement, _ place: Int32)
}

extension Int64: DatabaseValue {
    /// As ``DatabaseValue`` says.
    public func bind(to statement: RawStatement, _ place: Int32) { statement.bind(place, self) }
}

extension Int: DatabaseValue {
    /// As ``DatabaseValue`` says.
    public func bind(to statement: RawStatement, _ place: Int32) { statement.bind(place, Int64(self)) }
}

extension Bool: DatabaseValue {
    /// As ``DatabaseValue`` says.
    public func bind(to statement: RawStatement, _ place: Int32) { statement.bind(place, self ? 1 : 0) }
}

extension String: DatabaseValue {
    /// As ``DatabaseValue`` says.
    public func bind(to statement: RawStatement, _ place: Int32) { statement.bindCopy(place, text: self) }
}

extension Array: DatabaseValue where Element == UInt8 {
    /// As ``DatabaseValue`` says.
    public func bind(to statement: RawStatement, _ place: Int32) { statement.bindCopy(place, blob: self) }
}
