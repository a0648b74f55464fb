import ArgumentParser
import Cryptography
import Files
import FoundationEssentials
import Glibc
import Home
import Keyroll
import SecretStores

/// `keyroll put`
struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Store a secret: keyroll put NAME < plaintext",
        discussion: "The plaintext is read from standard input, byte for byte; a new line at its end belongs to it.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The secret's name.") var name: String
    @Option(help: "Additional data, stored in clear and authenticated.") var context: String?
    @Flag(help: "Write over a secret of that name.") var replace = false
    @Option(help: "The store (else the one that has the name, else the first).") var store: String?

    func run() {
        reporting {
            let group = try home.group()
            let plaintext = try StandardInput.read(atMost: StoreLimits.plaintext, what: "secret '\(name)'")
            try plaintext.withUnsafeBytes { try group.put(name, $0, context: context, replacing: replace, in: store) }
            return .done
        }
    }
}

/// `keyroll get`
struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a secret: keyroll get NAME > plaintext")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The secret's name.") var name: String
    @Option(help: "The context it has to have.") var context: String?
    @Option(help: "Only this store (else all).") var store: String?

    func run() {
        reporting {
            try home.group().get(name, context: context, in: store) { Output.bytes($0) }
            return .done
        }
    }
}

/// `keyroll rm`
struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Delete a secret.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The secret's name.") var name: String

    func run() {
        reporting {
            try home.group().remove(name)
            return .done
        }
    }
}

/// `keyroll mv`
struct Move: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mv", abstract: "Give a secret another name; its content is encrypted anew.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The present name.") var old: String
    @Argument(help: "The new name.") var new: String

    func run() {
        reporting {
            try home.group().rename(old, to: new)
            return .done
        }
    }
}

/// `keyroll list`
struct List: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "List secrets by name.",
        discussion: "With --json a line an object: name, store, generation, birth, bytes of the message's body.")
    @OptionGroup var home: HomeOptions
    @Option(help: "Only names that begin with this.") var prefix = ""
    @Option(help: "Only this store (else all).") var store: String?
    @Flag(help: "A JSON object a line.") var json = false

    func run() {
        reporting {
            let opened = try home.open()
            let chosen = try store.map { [($0, try opened.store(named: $0))] } ?? opened.namedStores
            var listing = MergedListing(chosen, prefix: prefix)
            var text = ""
            var last: String?
            while let line = try listing.next() {
                // A name that several stores have is one name.
                if json || line.secret.name != last {
                    text += json ? try Self.object(line) : Output.shown(line.secret.name) + "\n"
                }
                last = line.secret.name
                if text.utf8.count > 1 << 16 {
                    Output.print(text)
                    text = ""
                }
            }
            Output.print(text)
            let away = store == nil ? opened.unreachable : []
            for store in away { Output.error(store.line) }
            return away.isEmpty ? .done : .someFailed
        }
    }

    private struct Line: Encodable {
        var name: String
        var store: String
        var generation: UInt32
        var birth: UInt32
        var bodyBytes: Int
    }

    private static func object(_ line: MergedListing.Line) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = Line(
            name: line.secret.name, store: line.store, generation: line.secret.generation, birth: line.secret.birth,
            bodyBytes: line.secret.bodyLength)
        return String(decoding: try encoder.encode(object), as: UTF8.self) + "\n"
    }
}

/// Reads standard input into memory that is wiped.
enum StandardInput {
    static func read(atMost limit: Int, what: String) throws -> SecureBytes {
        guard !Surroundings.hasNoInput else {
            throw StoreError(.notAccepted, "standard input is closed; \(what) is read from there")
        }
        var room = try SecureBytes(count: 64 << 10)
        var used = 0
        while true {
            if used == room.count {
                guard used <= limit else {
                    throw StoreError(.notAccepted, "\(what) has more than \(limit) bytes")
                }
                var larger = try SecureBytes(count: min(room.count * 4, limit + 1))
                larger.withUnsafeMutableBytes { target in room.withUnsafeBytes { target.copyMemory(from: $0) } }
                room = larger
            }
            let count = room.withUnsafeMutableBytes { Glibc.read(0, $0.baseAddress! + used, $0.count - used) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError.current("standard input", "cannot read") }
            if count == 0 { break }
            used += count
        }
        guard used <= limit else { throw StoreError(.notAccepted, "\(what) has more than \(limit) bytes") }
        let length = used
        return try room.withUnsafeBytes { try SecureBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
    }
}
