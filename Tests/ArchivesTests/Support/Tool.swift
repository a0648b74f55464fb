import Glibc

/// The real command line tools: nothing of keyroll's own code stands behind them.
enum Tool {
    struct Failure: Error, CustomStringConvertible { var description: String }

    /// Runs a program that has to succeed; it reads nothing and its messages go to a file.
    static func run(_ arguments: [String], in folder: String) throws {
        let log = folder + "/log-\(UInt64.random(in: .min ... .max))"
        defer { unlink(log) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let line: [String] = ["env", "-C", folder] + arguments
        let words = line.map { strdup($0) } + [nil]
        let settings: [String] = ["PATH=/usr/bin:/bin", "HOME=/nonexistent"]
        let variables = settings.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var number: pid_t = 0
        let failure = posix_spawn(&number, "/usr/bin/env", &actions, nil, words, variables)
        guard failure == 0 else { throw Failure(description: "\(arguments[0]): cannot be started (\(failure))") }
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let text = (try? TemporaryFolder.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw Failure(description: "\(arguments.joined(separator: " ")): \(text)")
        }
    }
}
