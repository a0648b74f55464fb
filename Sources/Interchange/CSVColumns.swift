/// Which columns of a CSV file mean what, from its header.
///
/// A file without a header has a record in its first row, so the header is compared as bytes and is not quoted in
/// any message.
struct CSVColumns {
    /// How many columns a row has to have.
    let count: Int
    let url: Int?
    let title: Int?
    let username: Int?
    let password: Int?

    /// Finds the columns.
    ///
    /// - Parameters:
    ///   - header: the header's fields.
    ///   - needsPassword: whether rows are useless without a password.
    ///   - file: the file's name for messages.
    /// - Throws: ``ImportError`` if a column is missing that is needed.
    init(header: CSVFields, needsPassword: Bool, file: String) throws {
        /// The first column that bears one of `names`; an earlier name goes before a later one.
        func column(_ names: [StaticString]) throws -> Int? {
            for name in names {
                let found = header.fields.indices.filter { isName(name, of: header.raw($0)) }
                if found.count > 1 {
                    throw ImportError(
                        .headerRepeatsColumn, file: file, line: 1,
                        reason: "the header has the column \"\(name)\" \(found.count) times: keep one of them")
                }
                if let only = found.first { return only }
            }
            return nil
        }
        count = header.fields.count
        url = try column(["url", "login_uri", "web site", "website", "uri"])
        title = try column(["title", "name", "account"])
        username = try column(["username", "login_username", "login name", "user"])
        password = try column(["password", "login_password"])
        if password == nil, needsPassword {
            throw ImportError(
                .headerLacksColumns, file: file, line: 1,
                reason: "the header has no column \"password\": the first line must name the columns, with commas "
                    + "between them")
        }
        if url == nil, title == nil {
            throw ImportError(
                .headerLacksColumns, file: file, line: 1,
                reason: "the header has no column \"url\", \"title\" or \"name\" to name secrets by: the first line "
                    + "must name the columns, with commas between them")
        }
    }
}

/// Whether a header field is this name: in any case, with spaces around it or not. Only ASCII letters have a case
/// here, so that the locale makes no difference.
private func isName(_ name: StaticString, of field: UnsafeRawBufferPointer) -> Bool {
    var rest = field[...]
    while rest.first == UInt8(ascii: " ") { rest.removeFirst() }
    while rest.last == UInt8(ascii: " ") { rest.removeLast() }
    guard rest.count == name.utf8CodeUnitCount else { return false }
    return zip(rest, UnsafeBufferPointer(start: name.utf8Start, count: rest.count)).allSatisfy { byte, letter in
        (UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte) == letter
    }
}
