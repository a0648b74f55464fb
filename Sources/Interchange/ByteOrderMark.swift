/// What the first bytes of a text file say about its encoding.
enum ByteOrderMark {
    /// How many bytes at the beginning are a UTF-8 byte order mark: 3 or 0. RFC 8259, section 8.1, lets a reader
    /// ignore it; spreadsheets and some Windows programs write it.
    ///
    /// - Throws: ``ImportError`` if the file is UTF-16. Every byte of it would be reported otherwise.
    static func length(_ bytes: UnsafePointer<UInt8>, count: Int, file: String) throws -> Int {
        if count >= 2, (bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF) {
            throw ImportError(
                .wrongEncoding, file: file,
                reason: "this is utf-16: convert it first (iconv -f utf-16 -t utf-8)")
        }
        return count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    }
}
