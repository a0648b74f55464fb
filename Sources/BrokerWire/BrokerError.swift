/// Why a broker does not answer, or refuses.
public struct BrokerError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable, Equatable {
        /// There is none, or it went away.
        case unreachable
        /// The caller may not.
        case refused
        /// It has too much to do.
        case busy
        /// It failed as the command would have, with this exit code.
        case failed(exit: Int32)
        /// What came over the socket is not what a broker or its client writes.
        case malformed
    }

    /// What kind it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: what kind it is.
    ///   - detail: one lower-case line: what is wrong, what to do.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String { detail }
}
