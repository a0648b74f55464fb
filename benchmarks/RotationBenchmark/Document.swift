import Foundation
import Rotation

/// A run's figures, as they are written for machines.
struct Document: Encodable {
    /// What one thing measured.
    struct Figure: Encodable {
        var unit: String
        var samples: Samples
    }

    var benchmark = "RotationBenchmark"
    var format = 1
    var machine: Machine
    /// The server's version and settings, where one took part.
    var server: [String: String]?
    var secrets: Int
    var runs: Int
    var measures: [String: Figure]
    var stages: [String: Samples]
    var bars: [Bar]

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
    }
}

/// A ratio that the project promises.
struct Bar: Encodable {
    var name: String
    var ratio: Samples
    var bar: Double
    var holds: Bool
}

/// How long each stage of a rotation was busy, once a round.
struct StageSamples {
    private(set) var values: [String: Samples] = ["read": Samples(), "transform": Samples(), "commit": Samples()]

    mutating func add(_ times: StageTimes) {
        values["read"]?.values.append(times.read)
        values["transform"]?.values.append(times.transform)
        values["commit"]?.values.append(times.commit)
    }

    var text: String {
        let busy = ["read", "transform", "commit"].map {
            "\($0) \(String(format: "%.2f", values[$0]?.median ?? 0)) s"
        }
        return "rotate, busy: \(busy.joined(separator: ", ")) (workers added up)"
    }
}
