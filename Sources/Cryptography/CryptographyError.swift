/// What went wrong below a cryptographic call.
///
/// Only ``code`` counts for `==`; the detail is for people and never holds key or plaintext bytes.
public struct CryptographyError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: String, Sendable {
        /// OpenSSL does not offer an algorithm or refused a call that has to work.
        case libraryFailure = "OpenSSL refused"
        /// Memory for a key could not be allocated or locked.
        case memory = "no locked memory"
        /// A buffer has another length than the algorithm asks for.
        case wrongLength = "wrong length"
        /// The integrity check of a wrapped key or a ciphertext failed: wrong key, or altered bytes.
        case integrityCheckFailed = "integrity check failed"
        /// A certificate, a private key or a CMS message is not what it should be.
        case malformed = "malformed"
        /// A message was signed by somebody who is not among those that are trusted.
        case unknownSigner = "unknown signer"
        /// A message was not encrypted to this key.
        case notARecipient = "not a recipient"
        /// A known-answer test gave another answer.
        case selfTestFailed = "self-test failed"
        /// The random generator gave no bytes.
        case randomUnavailable = "no random bytes"
    }

    /// What kind of failure it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - detail: what was being done; never bytes of a key or a plaintext.
    public init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String {
        detail.isEmpty ? code.rawValue : "\(code.rawValue): \(detail)"
    }
}

extension CryptographyError: Equatable {
    /// Two errors are equal when their codes are.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
