/// One fact of a record.
public enum EvidenceValue: Sendable, Equatable {
    /// Words.
    case text(String)
    /// A number.
    case number(Int64)
    /// True or false.
    case flag(Bool)
    /// Several lines.
    case list([String])
    /// Numbers by name.
    case counts([String: Int64])
}

/// One step of a job, as it was done or found: it carries the hash of the record before.
public struct EvidenceRecord: Codable, Sendable, Equatable {
    /// Counts the records of a chain, from 1.
    public var number: UInt64
    /// SHA-256 of the line before, in hexadecimal digits; 64 zeros in the first.
    public var previous: String
    /// When, RFC 3339.
    public var at: String
    /// The job's identity.
    public var job: String
    /// What it records: plan, run, census, archive, retirement, rehearsal, restoration, destruction …
    public var kind: String
    /// What was done or found.
    public var facts: [String: EvidenceValue]

    /// Whether it belongs to a job: as its own, or as the one that it took up again.
    public func belongs(to job: String) -> Bool {
        self.job == job || facts["resumed"] == .text(job)
    }
}

extension EvidenceValue: Codable {
    /// Reads a JSON value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([String].self) {
            self = .list(value)
        } else {
            self = .counts(try container.decode([String: Int64].self))
        }
    }

    /// Writes a JSON value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .flag(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .counts(let value): try container.encode(value)
        }
    }
}
