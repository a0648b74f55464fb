import Glibc

/// What libFuzzer calls. `FUZZ_TARGET` names the parser.
///
/// Built by `make fuzz` only: `KEYROLL_FUZZ=1 swift build --sanitize=fuzzer --product Fuzz`. A trap of Swift's, an address
/// outside of bounds, more than a second or more than 256 MiB end it with the input that did it.
private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let found = fuzzTargets.first(where: { $0.name == name }) else {
        let line = "FUZZ_TARGET has to be one of: \(fuzzTargets.map(\.name).joined(separator: " "))\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
        exit(64)
    }
    return found
}()

/// One parser that reads what an attacker may have written.
struct FuzzTarget: @unchecked Sendable {
    // @unchecked: libFuzzer calls from one thread.
    let name: String
    /// Takes any bytes; it may throw, and must not do anything else.
    let parse: (UnsafeRawBufferPointer) throws -> Void
}

/// Called with each input.
///
/// - Returns: 0: the input says nothing about whether it belongs in the corpus.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    try? target.parse(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

/// A file in memory for parsers that take a path.
enum InputFile {
    private static let folder: String = {
        let path = "/dev/shm/keyroll-fuzz-\(getpid())"
        mkdir(path, 0o700)
        atexit {
            let path = "/dev/shm/keyroll-fuzz-\(getpid())"
            for name in ["input", "input.jsonl", "input.csv", "log/00000000000000000001.jsonl"] {
                unlink(path + "/" + name)
            }
            rmdir(path + "/log")
            rmdir(path)
        }
        return path
    }()

    /// - Parameters:
    ///   - name: its name below the folder; `log/…` for one in a folder of its own.
    ///   - bytes: what it holds.
    /// - Returns: its path.
    static func write(_ name: String, _ bytes: UnsafeRawBufferPointer) -> String {
        if name.hasPrefix("log/") { mkdir(folder + "/log", 0o700) }
        let path = folder + "/" + name
        let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "no room in /dev/shm")
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            precondition(count > 0, "no room in /dev/shm")
            done += count
        }
        return path
    }
}
