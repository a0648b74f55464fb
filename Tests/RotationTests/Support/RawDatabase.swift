import Glibc

/// An SQLite file as another program sees it. Tests look into stores with it, and damage them.
///
/// The library is the one that keyroll itself has loaded.
enum RawDatabase {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs statements and gives the rows, each value as text.
    @discardableResult
    static func run(_ path: String, _ sql: String) throws -> [[String?]] {
        var handle: OpaquePointer?
        guard library.open(path, &handle) == 0, let handle else { throw Failure(description: "cannot open \(path)") }
        defer { _ = library.close(handle) }
        _ = library.execute(handle, "PRAGMA busy_timeout = 10000", nil, nil, nil)
        var rows: [[String?]] = []
        let code = withUnsafeMutablePointer(to: &rows) {
            library.execute(
                handle, sql,
                { context, count, values, _ in
                    context!.assumingMemoryBound(to: [[String?]].self).pointee.append(
                        (0..<Int(count)).map { index in values?[index].map { String(cString: $0) } })
                    return 0
                }, $0, nil)
        }
        guard code == 0 else { throw Failure(description: "SQLite code \(code): \(sql)") }
        return rows
    }

    /// Flips one bit of a BLOB.
    static func flip(_ bit: Int, of column: String, in table: String, _ path: String) throws {
        let digits = try run(path, "SELECT hex(\(column)) FROM \(table)")[0][0] ?? ""
        var bytes = stride(from: 0, to: digits.count, by: 2).map { index in
            UInt8(digits.dropFirst(index).prefix(2), radix: 16)!
        }
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        let altered = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try run(path, "UPDATE \(table) SET \(column) = X'\(altered)'")
    }

    private typealias Callback =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        ) -> Int32

    private struct Library: Sendable {
        let open: @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>) -> Int32
        let close: @convention(c) (OpaquePointer) -> Int32
        let execute:
            @convention(c) (OpaquePointer, UnsafePointer<CChar>, Callback?, UnsafeMutableRawPointer?, OpaquePointer?)
                -> Int32
    }

    private static let library: Library = {
        let handle = dlopen("libsqlite3.so.0", RTLD_NOW)
        func symbol<F>(_ name: String) -> F { unsafeBitCast(dlsym(handle, name), to: F.self) }
        return Library(
            open: symbol("sqlite3_open"), close: symbol("sqlite3_close"), execute: symbol("sqlite3_exec"))
    }()
}
