import Foundation
import Glibc

/// A program that is run to its end, or started.
///
/// What it reads and writes are unnamed files, so that no pipe can fill up, and none that a test waits for stays open in a
/// server that outlives it.
enum Program {
    /// What a program left.
    struct Outcome: Sendable {
        var code: Int32
        var output: Data
        var errors: String
    }

    /// No variable of the caller's reaches it: `PGHOST` and its like would lead a test elsewhere.
    static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"]

    /// Runs one that has to succeed.
    ///
    /// - Parameter seconds: after this long it is killed, and has failed.
    @discardableResult
    static func run(_ words: [String], input: Data = Data(), atMost seconds: Int = 120) throws -> Data {
        let outcome = try attempt(words, input: input, atMost: seconds)
        guard outcome.code == 0 else {
            throw ServerError("\(words.joined(separator: " ")) ended with \(outcome.code): \(outcome.errors)")
        }
        return outcome.output
    }

    /// Runs one that may fail.
    static func attempt(
        _ words: [String], input: Data = Data(), environment: [String: String] = environment, atMost seconds: Int = 120
    ) throws -> Outcome {
        let files = try (unnamedFile(input), unnamedFile(), unnamedFile())
        defer { for file in [files.0, files.1, files.2] { close(file) } }
        let limited = ["/usr/bin/timeout", "-k", "5", String(seconds)] + words
        let pid = try start(
            limited, descriptors: [0: files.0, 1: files.1, 2: files.2], environment: environment)
        return Outcome(
            code: wait(pid), output: content(files.1), errors: String(decoding: content(files.2), as: UTF8.self))
    }

    /// Starts one in a session of its own, with every signal at its default: what ends the test does not end it.
    ///
    /// - Parameter descriptors: which of ours it has, under which number; the standard ones lead to `/dev/null` otherwise.
    static func start(
        _ words: [String], descriptors: [Int32: Int32] = [:], environment: [String: String] = environment
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in Int32(0)..<3 where descriptors[number] == nil {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        // In order: one of ours may have a number that another is to get, but never one of the first three.
        for (number, file) in descriptors.sorted(by: { $0.key < $1.key }) {
            posix_spawn_file_actions_adddup2(&actions, file, number)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which the header hides behind a macro.
        posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)

        let arguments = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in arguments + variables { free(word) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, words[0], &actions, &attributes, arguments, variables)
        guard failure == 0 else {
            throw ServerError("\(words[0]) does not start: \(String(cString: strerror(failure)))")
        }
        return pid
    }

    /// Waits for the end of one that was started: its code, or 128 and the signal's number.
    @discardableResult
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    private static func unnamedFile(_ content: Data = Data()) throws -> Int32 {
        let name = "/tmp/keyroll-program-\(UUID().uuidString)"
        let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ServerError("cannot make \(name)") }
        unlink(name)
        let written = content.withUnsafeBytes { $0.isEmpty ? 0 : pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == content.count else { throw ServerError("cannot write \(name)") }
        return file
    }

    private static func content(_ file: Int32) -> Data {
        let size = Int(lseek(file, 0, SEEK_END))
        var data = Data(count: max(0, size))
        let count = data.withUnsafeMutableBytes { $0.isEmpty ? 0 : pread(file, $0.baseAddress, $0.count, 0) }
        return data.prefix(max(0, count))
    }
}
