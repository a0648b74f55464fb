/// Why access is refused, or a request, an approval or a policy is not taken.
public struct AccessError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable {
        /// Not permitted.
        case refused
        /// There is no such request.
        case noSuchRequest
        /// A request, a pattern or a duration that is not taken.
        case notAccepted
        /// A policy that says something wrong, or is not signed by an owner.
        case policy
        /// A kept request was altered.
        case altered
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
