import Glibc

/// The command line. It is parsed by hand: four options are not worth a dependency.
struct Arguments {
    /// Wrong usage, or the help that was asked for.
    struct Usage: Error {
        var message: String
    }

    var secrets = 1_000_000
    var runs = 5
    var json: String?
    /// By default the working directory: its disk is the one that people mean, while /tmp may be memory.
    var folder = "."

    private static let help = """
        usage: RotationBenchmark [--secrets N] [--runs R] [--json FILE] [--folder DIR]
          --secrets N   secrets in the home (1000000)
          --runs R      rounds; each measures everything once (5)
          --json FILE   write the figures there as well
          --folder DIR  make the scratch folder in there (the working directory)
        """

    init(_ words: some Sequence<String>) throws {
        var words = words.makeIterator()
        while let option = words.next() {
            func value() throws -> String {
                guard let value = words.next() else { throw Usage(message: "\(option) needs a value\n\(Self.help)") }
                return value
            }
            func number() throws -> Int {
                let text = try value()
                guard let number = Int(text), number > 0 else {
                    throw Usage(message: "\(option) has to be 1 or more, not '\(text)'")
                }
                return number
            }
            switch option {
            case "--secrets": secrets = try number()
            case "--runs": runs = try number()
            case "--json": json = try value()
            case "--folder": folder = try value()
            case "--help", "-h":
                print(Self.help)
                exit(0)
            default: throw Usage(message: "unknown option '\(option)'\n\(Self.help)")
            }
        }
    }
}
