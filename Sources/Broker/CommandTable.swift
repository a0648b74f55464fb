public import Access

/// The commands that a broker runs for others: which, with which options, and for whom. Pure.
///
/// None takes a path, a home, a descriptor or a key: what a worker reads and writes is the home's, never the caller's.
public struct CommandTable: Sendable {
    /// A command that may be run.
    public struct Entry: Sendable {
        /// The words that name it.
        public var words: [String]
        /// Who may.
        public var operation: Operation
        /// Options that stand alone.
        public var flags: Set<String>
        /// Options that take a value.
        public var options: Set<String>
        /// How many other words it takes.
        public var operands: ClosedRange<Int>

        init(
            _ words: String, _ operation: Operation, flags: Set<String> = [], options: Set<String> = [],
            operands: ClosedRange<Int> = 0...0
        ) {
            self.words = words.split(separator: " ").map(String.init)
            self.operation = operation
            self.flags = flags
            self.options = options
            self.operands = operands
        }
    }

    private static let run: (flags: Set<String>, options: Set<String>) = (
        ["--dry-run", "--json", "--verbose", "--quiet"], ["--workers", "--max-rate"]
    )

    /// All of them.
    public static let entries: [Entry] = [
        Entry(
            "rotate", .job, flags: run.flags.union(["--force", "--fleet", "--detach"]),
            options: run.options.union(["--lease"])),
        Entry("work", .job, flags: run.flags, options: run.options.union(["--job", "--lease"])),
        Entry(
            "reencrypt", .job, flags: run.flags,
            options: run.options.union(["--compromised", "--occurred", "--reason"])),
        Entry("verify", .job, flags: run.flags, options: run.options),
        Entry("quarantine retry", .job, flags: run.flags, options: run.options),
        Entry("quarantine accept", .job, options: ["--reason"], operands: 1...1),
        Entry("generation create", .job, options: ["--reason"]),
        Entry("generation activate", .job, options: ["--reason"], operands: 1...1),
        Entry("generation compromise", .job, options: ["--reason", "--occurred"], operands: 1...1),
        Entry("generation retire", .job, options: ["--reason"], operands: 1...1),
        Entry("archive create", .job, operands: 0...1000),
        Entry("archive rehearse", .job, operands: 0...1000),
        Entry("status", .inspect, flags: ["--json"]),
        Entry("doctor", .inspect),
        Entry("explain", .inspect, operands: 1...1),
        Entry("generation list", .inspect),
        Entry("quarantine list", .inspect),
        Entry("archive list", .inspect),
        Entry("store list", .inspect, flags: ["--json"]),
        Entry("list", .list, flags: ["--json"], options: ["--prefix", "--store"]),
        Entry("audit verify", .audit, flags: ["--json"], options: ["--anchor"]),
        Entry(
            "audit export", .audit, options: ["--from", "--to", "--kind", "--user", "--secret", "--since"]),
        Entry("audit head", .audit),
        Entry("audit checkpoint", .audit),
    ]

    /// The entry that arguments are for.
    ///
    /// - Parameter arguments: as on a command line.
    /// - Throws: ``AccessError`` with `notAccepted`, naming what the broker does not take.
    public static func check(_ arguments: [String]) throws -> Entry {
        guard arguments.count <= 1100, arguments.allSatisfy({ $0.utf8.count <= 2048 && !$0.utf8.contains(0) }) else {
            throw AccessError(.notAccepted, "too many arguments, or too long")
        }
        // Of "quarantine list" and "list" the one with more words counts.
        let entry = entries.filter { arguments.starts(with: $0.words) }.max { $0.words.count < $1.words.count }
        guard let entry else {
            throw AccessError(
                .notAccepted,
                "the broker does not run '\(arguments.prefix(2).joined(separator: " "))'; whoever has the home does, with --broker none"
            )
        }
        var operands = 0
        var seen: Set<String> = []
        var index = entry.words.count
        while index < arguments.count {
            let word = arguments[index]
            // Repeated, they could push others out of what the log keeps of a line.
            guard !word.hasPrefix("-") || seen.insert(word).inserted else {
                throw AccessError(.notAccepted, "'\(word)' stands twice")
            }
            if entry.flags.contains(word) {
                index += 1
            } else if entry.options.contains(word) {
                guard index + 1 < arguments.count, !arguments[index + 1].hasPrefix("-") else {
                    throw AccessError(.notAccepted, "'\(word)' needs a value that does not begin with a dash")
                }
                index += 2
            } else if word.hasPrefix("-") {
                throw AccessError(
                    .notAccepted, "the broker does not take '\(word)' for \(entry.words.joined(separator: " "))")
            } else {
                operands += 1
                index += 1
            }
        }
        guard entry.operands.contains(operands) else {
            throw AccessError(
                .notAccepted, "\(entry.words.joined(separator: " ")) does not take \(operands) names or numbers")
        }
        return entry
    }

    /// `--name=value` as two words, as ``check(_:)`` wants them.
    public static func canonical(_ arguments: [String]) -> [String] {
        arguments.flatMap { word -> [String] in
            guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return [word] }
            return [String(word[..<equals]), String(word[word.index(after: equals)...])]
        }
    }
}
