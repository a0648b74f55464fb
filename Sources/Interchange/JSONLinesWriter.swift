import Glibc

/// Writes secrets as JSON Lines (RFC 8259, one object a line) that ``RecordSource`` reads back to the same bytes.
///
/// Each line is `{"name":…,"context":…,"secret":…}`, without `context` if there is none. A secret that is not valid
/// UTF-8 becomes `secretBase64` instead (RFC 4648, section 4, padded). So does one that is mostly control characters:
/// escaped it would take up to six times its size, and could become a line too long to be read again.
public struct JSONLinesWriter: Sendable {
    /// Makes a writer. It has no state: each thread may have its own, or share one.
    public init() {}

    /// Adds one line to `buffer`.
    ///
    /// - Parameters:
    ///   - name: the secret's name in UTF-8.
    ///   - context: its context in UTF-8, if it has one.
    ///   - secret: the plaintext, any bytes.
    ///   - buffer: where the line goes. Flush it when it holds as much as is to be written at once.
    /// - Throws: ``ExportError`` if name or context are not UTF-8, or what `SecureBytes` throws if there is no memory.
    ///   Nothing was added then.
    public func write(
        name: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer?, secret: UnsafeRawBufferPointer,
        into buffer: ExportBuffer
    ) throws {
        guard UTF8Validation.isValid(name), context.map(UTF8Validation.isValid) ?? true else {
            throw ExportError(.notText, reason: "a name or context is not valid utf-8: export it as cose instead")
        }
        let nameCount = JSONEscaping.escapedCount(name)
        let contextCount = context.map { JSONEscaping.escapedCount($0) } ?? 0
        var secretCount = JSONEscaping.escapedCount(secret)
        let isText = UTF8Validation.isValid(secret) && secretCount <= 2 * secret.count
        if !isText { secretCount = Base64.encodedCount(secret.count) }

        let start = try buffer.reserve(nameCount + contextCount + secretCount + Self.frameCount)
        var place = start
        Self.put("{\"name\":\"", at: &place)
        place += JSONEscaping.write(name, to: place)
        if let context {
            Self.put("\",\"context\":\"", at: &place)
            place += JSONEscaping.write(context, to: place)
        }
        if isText {
            Self.put("\",\"secret\":\"", at: &place)
            place += JSONEscaping.write(secret, to: place)
        } else {
            Self.put("\",\"secretBase64\":\"", at: &place)
            Base64.encode(secret, to: place)
            place += secretCount
        }
        Self.put("\"}\n", at: &place)
        buffer.advance(place - start)
    }

    /// More than what stands around the values takes.
    private static let frameCount = 64

    private static func put(_ text: StaticString, at place: inout UnsafeMutablePointer<UInt8>) {
        memcpy(place, text.utf8Start, text.utf8CodeUnitCount)
        place += text.utf8CodeUnitCount
    }
}
