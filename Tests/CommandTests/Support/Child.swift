import Foundation
import Glibc
import Synchronization

/// A process that a test started, in a session of its own: it has no terminal, and signals reach it alone.
///
/// What it reads and writes are unnamed files, so that no pipe can fill up and nothing is left behind.
final class Child: Sendable {
    let pid: pid_t
    private let output: Int32
    private let errors: Int32
    private let outcome = Mutex<Outcome?>(nil)
    private let peak = Mutex(0)

    /// - Parameters:
    ///   - path: the program.
    ///   - arguments: without the program's name.
    ///   - environment: all of it.
    ///   - input: what it can read from standard input.
    ///   - descriptors: what it can read from others.
    init(
        _ path: String, _ arguments: [String], environment: [String: String], input: Data = Data(),
        descriptors: [Int32: Data] = [:]
    ) throws {
        output = try UnnamedFile.make()
        errors = try UnnamedFile.make()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var inputs: [Int32] = []
        defer { for input in inputs { close(input) } }
        func give(_ source: Int32, as target: Int32) { posix_spawn_file_actions_adddup2(&actions, source, target) }
        inputs.append(try UnnamedFile.make(input))
        give(inputs[0], as: 0)
        give(output, as: 1)
        give(errors, as: 2)
        for (number, content) in descriptors {
            let file = try UnnamedFile.make(content)
            inputs.append(file)
            give(file, as: number)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which the header hides behind a macro, and a signal mask without signals.
        posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGMASK))
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)

        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let all = environment.merging(Sanitizers.variables) { given, _ in given }
        let variables = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var number: pid_t = 0
        let failure = posix_spawn(&number, path, &actions, &attributes, words, variables)
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        pid = number
    }

    deinit {
        if isRunning {
            signal(SIGKILL)
            _ = wait()
        }
        close(output)
        close(errors)
    }

    func signal(_ number: Int32) {
        // Once it was waited for, its number may be somebody else's.
        outcome.withLock { if $0 == nil { kill(pid, number) } }
    }

    var isRunning: Bool { poll() == nil }

    /// What it wrote to standard error so far.
    var errorsSoFar: String { String(decoding: UnnamedFile.read(errors), as: UTF8.self) }

    /// The most memory that it held at a time, in MiB, as the kernel counts it (VmHWM), looked at every half millisecond of
    /// ``wait(atMost:)``. What `wait4` says would begin with the memory of the test that started it.
    var peakMebibytes: Int { peak.withLock { $0 } >> 10 }

    private func lookAtMemory() {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kibibytes = Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")
        else { return }
        peak.withLock { $0 = max($0, kibibytes) }
    }

    /// Waits for its end; one that takes longer is killed, which shows in the outcome.
    func wait(atMost seconds: Double = 120) -> Outcome {
        let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        while true {
            if let outcome = poll() { return outcome }
            if DispatchTime.now().uptimeNanoseconds > end { signal(SIGKILL) }
            lookAtMemory()
            usleep(500)
        }
    }

    private func poll() -> Outcome? {
        outcome.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            known = Outcome(
                code: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: UnnamedFile.read(output),
                errors: errorsSoFar)
            return known
        }
    }
}

/// Files without a name.
private enum UnnamedFile {
    static func make(_ content: Data = Data()) throws -> Int32 {
        let name = "/tmp/keyroll-test-\(UUID().uuidString)"
        let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw POSIXError(.EIO) }
        unlink(name)
        try content.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = pwrite(file, bytes.baseAddress! + done, bytes.count - done, off_t(done))
                guard count > 0 else { throw POSIXError(.EIO) }
                done += count
            }
        }
        return file
    }

    static func read(_ file: Int32) -> Data {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size > 0 else { return Data() }
        var data = Data(count: Int(status.st_size))
        let count = data.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return data.prefix(max(0, count))
    }
}
