public import Cryptography
import Files
import Glibc

/// The root key in a file of its own: the embedded default.
///
/// One line of text, so that it can be printed and typed in again: `keyroll-root-key-1 ` and 64 hexadecimal digits.
public struct KeyFileProvider: RootKeyProvider {
    private static let prefix = Array("keyroll-root-key-1 ".utf8)
    private static let length = prefix.count + 64 + 1

    /// The file's path.
    public let place: String

    /// - Parameter path: the file, readable by its owner only.
    public init(path: String) { place = path }

    /// None: the file says it all.
    public func newParameters() -> [UInt8] { [] }

    /// Writes a new key into a file that must not exist yet.
    public func create() throws {
        let key = try Random.key()
        let text = try SecretDigits.line(head: Self.prefix, key: key)
        try text.withUnsafeBytes { try PrivateFile.write(place, $0, replacing: false) }
    }

    /// Reads the key straight into locked memory.
    public func rootKey(_ parameters: [UInt8]) throws -> SecureBytes {
        guard PrivateFile.exists(place) else {
            throw KeyManagementError(
                .rootKeyUnavailable,
                "\(place): the root key is not there; put the file back from where you keep its copy")
        }
        try PrivateFile.check(place)
        let descriptor = open(place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(place, "cannot open the root key") }
        defer { close(descriptor) }
        var text = try SecureBytes(count: Self.length + 1)
        let count = text.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        let malformed = KeyManagementError(
            .rootKeyMalformed,
            "\(place): is not a root key as keyroll writes it (one line: keyroll-root-key-1 and 64 digits)")
        guard count == Self.length || count == Self.length - 1 else { throw malformed }
        let isWhole = text.withUnsafeBytes { input in
            (count == Self.length - 1 || input[Self.length - 1] == 10)
                && input[..<Self.prefix.count].elementsEqual(Self.prefix)
        }
        guard isWhole, let key = try SecretDigits.key(in: text, at: Self.prefix.count, takesCapitals: true) else {
            throw malformed
        }
        return key
    }
}
