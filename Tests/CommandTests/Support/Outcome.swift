import Foundation
import Testing

/// How a command ended and what it said.
struct Outcome: Sendable {
    /// The exit code; 128 and the signal's number for one that a signal ended.
    var code: Int32
    var output: Data
    var errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// Standard output as one JSON object, and nothing else on it.
    func object(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any], sourceLocation: sourceLocation)
    }

    /// The same, decoded.
    func decoded<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: output)
    }

    /// Standard output as JSON Lines.
    func objects() throws -> [[String: Any]] {
        try output.split(separator: 10).map { try JSONSerialization.jsonObject(with: $0) as? [String: Any] ?? [:] }
    }

    /// A refusal: one line on standard error that says these things, and nothing on standard output.
    func expectRefusal(_ phrases: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(output.isEmpty, "a refusal gives no output", sourceLocation: sourceLocation)
        #expect(
            errorLines.count == 1 && errors.hasPrefix("keyroll: ") && errors.hasSuffix("\n"),
            "one line that begins with the program's name: \(errors)", sourceLocation: sourceLocation)
        expectErrors(phrases, sourceLocation: sourceLocation)
    }

    /// Standard error says these things.
    func expectErrors(_ phrases: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        for phrase in phrases {
            #expect(errors.contains(phrase), "standard error: \(errors)", sourceLocation: sourceLocation)
        }
    }
}

/// What a job answers with `--json`.
struct Report: Decodable {
    struct Fault: Decodable, Equatable {
        var name: String
        var generation: Int
        var reason: String
    }
    struct Imported: Decodable, Equatable {
        var added = 0
        var replaced = 0
        var unchanged = 0
        var kept = 0
    }
    var job: String
    var scanned: Int
    var moved: Int
    var current: Int
    var superseded: Int
    var failed: [String: Int]
    var generation: Int
    var dryRun: Bool
    var resumed: Bool
    var interrupted: Bool
    var plan: [String]
    var faults: [Fault]
    var imported: Imported?

    /// The design's rule 5.
    var addsUp: Bool {
        let reasons = failed.filter { $0.key != "total" }.values.reduce(0, +)
        return failed["total"] == reasons && scanned == moved + current + superseded + reasons
    }
}

/// What `status --json` answers.
struct Census: Decodable {
    struct Generation: Decodable {
        var number: Int
        var state: String
        var archived: Bool
        var secrets: Int
    }
    var group: String
    var overdue: Bool
    var secrets: Int
    var generations: [Generation]
    var quarantined: Int

    var active: Int? { generations.first { $0.state == "active" }?.number }
    /// Secrets by generation, those without any left out.
    var counts: [Int: Int] {
        Dictionary(uniqueKeysWithValues: generations.filter { $0.secrets != 0 }.map { ($0.number, $0.secrets) })
    }
}
