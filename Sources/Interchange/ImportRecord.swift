/// What an imported secret's bytes are, as far as its format tells.
public enum ImportContentType: String, Sendable, Hashable, CaseIterable {
    /// Any bytes: a file, or a `secretBase64` member.
    case bytes
    /// Valid UTF-8: a `secret` member, or the password of a CSV row.
    case text
    /// A whole CSV row as one JSON object (RFC 8259), in UTF-8.
    case json
}

/// One parsed record. It holds no bytes of its own: its ranges index the memory of the ``RecordBatch`` it is in,
/// so that a record costs no allocation and its plaintext is in one place only, which is wiped.
public struct ImportRecord: Sendable, Hashable {
    /// Where the name is: valid UTF-8, 1 to ``ImportLimits/maximumName`` bytes, without NUL.
    public var name: Range<Int>
    /// Where the context is, if the record has one: valid UTF-8, up to ``ImportLimits/maximumContext`` bytes.
    public var context: Range<Int>?
    /// Where the plaintext is, up to ``ImportLimits/maximumSecret`` bytes. It may be empty.
    public var secret: Range<Int>
    /// Which of ``RecordSource/files`` the record comes from.
    public var file: Int
    /// The line on which the record starts, from 1. 0 when the record is a whole file.
    public var line: Int
    /// What the plaintext is.
    public var contentType: ImportContentType

    /// Makes a record from ranges into a batch.
    public init(
        name: Range<Int>, context: Range<Int>?, secret: Range<Int>, file: Int, line: Int,
        contentType: ImportContentType
    ) {
        self.name = name
        self.context = context
        self.secret = secret
        self.file = file
        self.line = line
        self.contentType = contentType
    }
}
