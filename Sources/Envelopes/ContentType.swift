/// What kind of content a secret has: a CoAP Content-Format number (RFC 7252 section 12.3), as RFC 9052
/// section 3.1 allows for header 3.
public struct ContentType: RawRepresentable, Hashable, Sendable {
    /// The registered number.
    public var rawValue: UInt16

    /// - Parameter rawValue: a number from IANA's registry "CoAP Content-Formats".
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `text/plain; charset=utf-8`
    public static let text = ContentType(rawValue: 0)
    /// `application/octet-stream`
    public static let bytes = ContentType(rawValue: 42)
    /// `application/json`
    public static let json = ContentType(rawValue: 50)
}
