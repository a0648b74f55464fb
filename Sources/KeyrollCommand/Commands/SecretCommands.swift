import ArgumentParser
import Cryptography
import Files
import Foundation
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

    func run() {
        reporting {
            let group = KeyGroup(try home.open())
            let plaintext = try StandardInput.read(atMost: StoreLimits.plaintext, what: "secret '\(name)'")
            try plaintext.withUnsafeBytes { try group.put(name, $0, context: context, replacing: replace) }
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

    func run() {
        reporting {
            try KeyGroup(home.open()).get(name, context: context) { Output.bytes($0) }
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
            try KeyGroup(home.open()).remove(name)
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
            try KeyGroup(home.open()).rename(old, to: new)
            return .done
        }
    }
}

/// `keyroll list`
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List secrets by name.",
        discussion: "With --json a line an object: name, generation, birth, bytes of the message's body.")
    @OptionGroup var home: HomeOptions
    @Option(help: "Only names that begin with this.") var prefix = ""
    @Flag(help: "A JSON object a line.") var json = false

    func run() {
        reporting {
            let store = try home.open().store
            var after: [UInt8]?
            while true {
                let part = try store.list(after: after, prefix: Array(prefix.utf8), limit: 1000)
                var text = ""
                for line in part {
                    text += json ? try Self.object(line) : Output.shown(line.name) + "\n"
                }
                Output.print(text)
                guard part.count == 1000, let last = part.last else { return .done }
                after = Array(last.name.utf8)
            }
        }
    }

    private struct Line: Encodable {
        var name: String
        var generation: UInt32
        var birth: UInt32
        var bodyBytes: Int
    }

    private static func object(_ line: SecretSummary) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = Line(name: line.name, generation: line.generation, birth: line.birth, bodyBytes: line.bodyLength)
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
