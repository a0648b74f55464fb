/// Why a home cannot be used.
public struct HomeError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable {
        /// There is no home there.
        case noHome
        /// There is one already.
        case exists
        /// A file that was named is not there.
        case noSuchFile
        /// The configuration is wrong.
        case configuration
        /// A store is not there now.
        case unreachable
        /// Somebody changed the configuration since it was read.
        case changedMeanwhile
        /// No store has that name.
        case noSuchStore
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
