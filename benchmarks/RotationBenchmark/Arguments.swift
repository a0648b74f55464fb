import Glibc

/// The command line. It is parsed by hand: a few options are not worth a dependency.
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

    /// The server whose store is measured instead of the embedded one: as libpq takes it.
    var postgres: String?

    /// Only puts into this home, for `postgres.sh put`.
    var puts: String?

    /// Only the bare loop over the contents of this store, for `scale.sh reencrypt`.
    var bareContents: String?
    var form = BareContents.Form.statement
    /// As a re-encryption cuts its batches.
    var batchBytes = 1 << 20

    private static let help = """
        usage: RotationBenchmark [--secrets N] [--runs R] [--json FILE] [--folder DIR] [--postgres CONNECTION]
          --secrets N   secrets in the home (1000000)
          --runs R      rounds; each measures everything once (5)
          --json FILE   write the figures there as well
          --folder DIR  make the scratch folder in there (the working directory)
          --postgres CONNECTION   measure a store on that server, in schemas that are made and removed again
               RotationBenchmark --bare-contents STORE [--form statement|blob] [--batch-bytes N]
          overwrites all contents and slots of a store's file, and prints how many seconds that took
               RotationBenchmark --puts HOME
        puts one secret after another until standard input ends, and prints how many milliseconds each took
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
            case "--postgres": postgres = try value()
            case "--puts": puts = try value()
            case "--bare-contents": bareContents = try value()
            case "--form":
                let name = try value()
                guard let known = BareContents.Form(rawValue: name) else {
                    throw Usage(message: "unknown form '\(name)'\n\(Self.help)")
                }
                form = known
            case "--batch-bytes": batchBytes = try number()
            case "--help", "-h":
                print(Self.help)
                exit(0)
            default: throw Usage(message: "unknown option '\(option)'\n\(Self.help)")
            }
        }
    }
}
