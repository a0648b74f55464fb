import Glibc

/// What the command finds at its start, put in order before anything else runs.
enum Surroundings {
    /// Whether standard input was closed: `put` and `import -` must not take that for an empty input.
    nonisolated(unsafe) private(set) static var hasNoInput = false
    // nonisolated(unsafe): written once, before any thread is made.

    static func prepare() {
        // A file opened later must not get the number of a standard stream and be written to as one.
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            if descriptor == 0 { hasNoInput = true }
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        // Two names that are not UTF-8 would become the same text.
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            Output.error("argument \(index) is not UTF-8; names, contexts and paths have to be")
            Exit.usage.leave()
        }
    }
}
