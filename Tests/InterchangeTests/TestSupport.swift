import Foundation
import Testing

import Interchange

/// A record as tests compare it. Here, and only here, plaintext may be in Swift's own types.
struct Imported: Equatable {
    var name: String
    var context: String?
    var secret: [UInt8]
    var file = 0
    var line = 1
    var contentType = ImportContentType.text

    /// The secret of a test that uses text.
    var text: String { String(decoding: secret, as: UTF8.self) }
}

/// What an import gave.
struct Outcome: Equatable {
    var records: [Imported] = []
    var problems: [ImportProblem] = []

    var names: [String] { records.map(\.name) }
    var texts: [String] { records.map(\.text) }
    /// `line: message` for each problem.
    var messages: [String] { problems.map { "\($0.line ?? 0): \($0.message)" } }
}

/// Reads everything from a source.
func readAll(_ source: RecordSource, capacity: Int = 1 << 16, maximumRecords: Int = 64) throws -> Outcome {
    let batch = try RecordBatch(capacity: capacity, maximumRecords: maximumRecords)
    var outcome = Outcome()
    while try source.read(into: batch) {
        #expect(!batch.records.isEmpty && batch.records.count <= maximumRecords)
        for record in batch.records {
            outcome.records.append(
                Imported(
                    name: String(decoding: batch.bytes(record.name), as: UTF8.self),
                    context: record.context.map { String(decoding: batch.bytes($0), as: UTF8.self) },
                    secret: Array(batch.bytes(record.secret)), file: record.file, line: record.line,
                    contentType: record.contentType))
        }
        batch.reset()
        outcome.problems += source.takeProblems()
    }
    outcome.problems += source.takeProblems()
    return outcome
}

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/interchange-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, and the folders above it.
    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let file = path + "/" + name
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Imports bytes as one file.
func importBytes(
    _ bytes: some Sequence<UInt8>, _ format: ImportFormat, wholeRow: Bool = false, limits: ImportLimits = .init(),
    bufferCapacity: Int = 1 << 16, batchCapacity: Int = 1 << 16
) throws -> Outcome {
    let folder = try TemporaryFolder()
    let source = try RecordSource(
        paths: [try folder.write("input", bytes)], format: format, wholeRow: wholeRow, limits: limits,
        bufferCapacity: bufferCapacity)
    return try readAll(source, capacity: batchCapacity)
}

/// Imports JSON Lines.
func importJSONL(_ text: String, limits: ImportLimits = .init(), bufferCapacity: Int = 1 << 16) throws -> Outcome {
    try importBytes(text.utf8, .jsonl, limits: limits, bufferCapacity: bufferCapacity)
}

/// Imports CSV.
func importCSV(_ text: String, wholeRow: Bool = false, bufferCapacity: Int = 1 << 16) throws -> Outcome {
    try importBytes(text.utf8, .csv, wholeRow: wholeRow, bufferCapacity: bufferCapacity)
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
