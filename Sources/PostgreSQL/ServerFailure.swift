/// What went wrong with a PostgreSQL server, in the words that a person and an exit code need.
public struct ServerFailure: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: Sendable, Equatable {
        /// No connection, or the connection was lost, or the server is starting up or shutting down.
        case unreachable
        /// The server is in recovery, or its transactions may only read.
        case readsOnly
        /// The server refuses this role: wrong password, or a right is missing.
        case notPermitted
        /// The server's certificate is not to be trusted, or the connection would not be protected.
        case unsafe
        /// There is no such database, schema or table.
        case missing
        /// Others hold what is needed for longer than the time limit, or transactions came in each other's way: again.
        case busy
        /// The server's disk is full.
        case full
        /// The server could not read or write, or its pages contradict each other.
        case inputOutput
        /// A unique index has that value already.
        case duplicate
        /// A condition that keyroll itself asked the server to check does not hold; ``ServerFailure/state`` says which.
        case condition
        /// The connection string cannot be used.
        case configuration
        /// A fault of keyroll's own.
        case internalError
    }

    /// What kind of failure it is.
    public let code: Code
    /// The five letters of SQLSTATE, or nothing where the server did not speak.
    public let state: String
    /// The server's own words for a ``Code/condition``, else a line for people.
    public let detail: String
    /// The server, for messages.
    public let place: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - place: the server, for messages.
    ///   - detail: what is wrong, in lower case.
    ///   - state: SQLSTATE.
    public init(_ code: Code, _ place: String, _ detail: String, state: String = "") {
        self.code = code
        self.place = place
        self.detail = detail
        self.state = state
    }

    /// What an SQLSTATE means (PostgreSQL, appendix A).
    ///
    /// - Parameter isStandby: whether the server says that it is one.
    init(state: String, message: String, place: String, isStandby: Bool) {
        let code: Code =
            switch state {
            // A transaction that asks for writing is a feature that a standby does not support.
            case "0A000" where isStandby || message.contains("recovery"): .readsOnly
            case "25P03", "25P04", "57P01", "57P04", "57P02", "57P03", "57P05", "53300": .unreachable
            case "25006": .readsOnly
            case "28000", "28P01", "42501": .notPermitted
            case "3D000", "3F000", "42P01", "42703", "42883": .missing
            case "40001", "40P01", "55P03", "57014": .busy
            case "53100", "53000", "53200", "54000": .full
            case "XX001", "XX002": .inputOutput
            case "23505": .duplicate
            case _ where state.hasPrefix("KR"): .condition
            case _ where state.hasPrefix("08"): .unreachable
            case _ where state.hasPrefix("58"): .inputOutput
            default: .internalError
            }
        self.init(code, place, message, state: state)
    }

    /// One lower-case line.
    public var description: String {
        let hint =
            switch code {
            case .unreachable: "; what was committed counts; try again once the server answers"
            case .readsOnly: "; it only reads: name the primary server"
            case .busy: "; try again"
            default: ""
            }
        return "\(place): \(detail)\(state.isEmpty ? "" : " (SQLSTATE \(state))")\(hint)"
    }
}
