/// Why a bundle is not written, or not believed.
public struct ArchiveError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable {
        /// There is no such file.
        case noSuchBundle
        /// It was cut short, altered, or is no bundle.
        case damaged
        /// It is not what keyroll writes: another member, a link, a size beyond all measure.
        case malformed
        /// It was signed by somebody who is not trusted here.
        case unknownSigner
        /// It belongs to another group, or is another generation.
        case otherGeneration
        /// It was not encrypted to the key at hand.
        case wrongKey
        /// It was written by a newer keyroll.
        case newerFormat
        /// It does not open what it has to open.
        case notRestorable
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

extension ArchiveError: Equatable {
    /// Two errors are equal when their codes are.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
