/// Why keys are not taken away, brought back or copied.
public struct CustodyError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable {
        /// The gate does not let it through.
        case refused
        /// Something is there already.
        case exists
        /// What is needed is not there.
        case missing
        /// What was given does not belong together.
        case doesNotBelong
        /// The command was given too little or too much.
        case usage
    }

    /// What kind it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: what kind it is.
    ///   - detail: one lower-case line: what is wrong, where, what to do.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String { detail }
}
