import Cryptography
import Files
import Glibc
public import Home
import KeyManagement

/// A home of its own for a trial, with invented secrets, in a folder that goes away with it.
public final class TrialHome {
    /// The home's folder and where the input lies.
    private let folder: String
    /// The home.
    public let home: Home
    /// The invented secrets as JSON Lines.
    public let input: String

    /// Makes it.
    ///
    /// - Parameters:
    ///   - parent: the folder to make it in; what is measured is the disk below it.
    ///   - secrets: how many.
    ///   - size: bytes of each.
    /// - Throws: `FileError`, `HomeError`, or what the key repository throws. Nothing is left behind then.
    public init(in parent: String, secrets: Int, size: Int) throws {
        let folder = "\(parent)/.keyroll-bench-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        guard mkdir(folder, 0o700) == 0 else { throw FileError.current(folder, "cannot make the folder") }
        do {
            try Self.checkRoom(folder, Int64(secrets) * Int64(size + 200) * 5)
            input = folder + "/input.jsonl"
            try Self.invent(input, secrets: secrets, size: size)
            let layout = HomeLayout(folder + "/home")
            let configuration = HomeConfiguration(
                group: "bench", policy: .standard, rootKey: .keyFile("root.key"))
            let unasked: Home.Ask = { throw HomeError(.configuration, "a trial's home asks for nothing") }
            try Home.create(layout, configuration: configuration, ask: unasked)
            home = try Home.open(layout, ask: unasked)
        } catch {
            Home.removeTree(folder)
            throw error
        }
        self.folder = folder
    }

    deinit { Home.removeTree(folder) }

    private static func checkRoom(_ folder: String, _ wanted: Int64) throws {
        var disk = statvfs()
        guard statvfs(folder, &disk) == 0 else { throw FileError.current(folder, "cannot look") }
        let free = Int64(clamping: UInt64(disk.f_bavail)) * Int64(clamping: UInt64(disk.f_frsize))
        guard free >= wanted else {
            throw FileError(
                .inputOutput, folder,
                "has \(free >> 20) MiB left, and the trial may need \(wanted >> 20) MiB; take fewer secrets or another --folder"
            )
        }
    }

    /// Random contents: nothing of it is anybody's.
    private static func invent(_ path: String, secrets: Int, size: Int) throws {
        let descriptor = open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot create") }
        defer { close(descriptor) }
        var lines: [UInt8] = []
        for number in 0..<secrets {
            // A random name each, as accounts have: in their order they would flatter the index.
            let name = hexadecimal(try Random.publicBytes(6))
            let secret = hexadecimal(try Random.publicBytes((size + 1) / 2)).prefix(size)
            lines += Array("{\"name\":\"bench/\(name)/\(number)\",\"secret\":\"\(secret)\"}\n".utf8)
            if lines.count > 1 << 20 || number == secrets - 1 {
                try lines.withUnsafeBytes { try PrivateFile.writeAll(descriptor, $0, path: path) }
                lines.removeAll(keepingCapacity: true)
            }
        }
    }
}
