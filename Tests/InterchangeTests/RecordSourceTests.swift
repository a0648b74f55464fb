import Foundation
import Testing

import Interchange

@Suite struct RecordSourceTests {
    private static let line = #"{"name":"n","secret":"s"}"#
    private static let table = "url,password\nu,p\n"

    @Test(arguments: [
        ("a.jsonl", ImportFormat.jsonl), ("a.ndjson", .jsonl), ("a.JSON", .jsonl), ("a.b.csv", .csv), ("A.CSV", .csv),
    ])
    func theExtensionTellsTheFormat(_ name: String, _ format: ImportFormat) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(name, (format == .csv ? Self.table : Self.line).utf8)
        let outcome = try readAll(RecordSource(paths: [path], format: nil, wholeRow: false))
        #expect(outcome.texts == [format == .csv ? "p" : "s"])
    }

    @Test func theGivenFormatGoesBeforeTheExtension() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.csv", Self.line.utf8)
        #expect(try readAll(RecordSource(paths: [path], format: .jsonl, wholeRow: false)).names == ["n"])
        #expect(try readAll(RecordSource(paths: [path], format: .files, wholeRow: false)).names == ["a.csv"])
    }

    @Test func everythingInTurn() throws {
        let folder = try TemporaryFolder()
        let paths = [
            try folder.write("a.jsonl", (Self.line + "\nbad").utf8), try folder.write("b.csv", Self.table.utf8),
            try folder.write("tree/x", "t".utf8), folder.path + "/tree", try folder.write("c.jsonl", [UInt8]()),
        ]
        let source = try RecordSource(
            paths: [paths[0], paths[1], paths[3], paths[4], paths[0]], format: nil, wholeRow: false)
        #expect(source.files == [paths[0], paths[1], paths[3], paths[4], paths[0]])
        let outcome = try readAll(source)
        #expect(outcome.names == ["n", "u", "x", "n"])
        #expect(outcome.records.map(\.file) == [0, 1, 2, 4])
        #expect(outcome.problems.map(\.file) == [paths[0], paths[0]])
        #expect(source.problemCount == 2)
        #expect(source.takeProblems().isEmpty, "they are taken once")
        let batch = try RecordBatch()
        #expect(try source.read(into: batch) == false, "and again")
        #expect(try RecordSource(paths: [], format: nil, wholeRow: false).read(into: batch) == false)
    }

    @Test(
        arguments: [
            ("missing.csv", nil, ImportError.Code.noSuchPath), ("missing", .files, .noSuchPath),
            ("plain/below", .jsonl, .noSuchPath), ("plain", nil, .unknownFormat), ("plain.txt", nil, .unknownFormat),
            (".csv/plain", nil, .unknownFormat), ("folder", .jsonl, .wrongKind), ("folder", .csv, .wrongKind),
            ("pipe", .files, .wrongKind), ("pipe", nil, .unknownFormat),
        ] as [(String, ImportFormat?, ImportError.Code)])
    func badPathsAreRefusedAtOnce(_ name: String, _ format: ImportFormat?, _ code: ImportError.Code) throws {
        let folder = try TemporaryFolder()
        for file in ["plain", "plain.txt", ".csv/plain"] { try folder.write(file, []) }
        try FileManager.default.createDirectory(atPath: folder.path + "/folder", withIntermediateDirectories: true)
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let path = folder.path + "/" + name
        let error = #expect(throws: ImportError.self) {
            _ = try RecordSource(paths: [path], format: format, wholeRow: false)
        }
        #expect(error?.code == code)
        #expect(error?.description.hasPrefix(path + ": ") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func standardInputNeedsAFormatThatNames() throws {
        for (format, code) in [(nil, .unknownFormat), (.files, .standardInputHasNoName)]
            as [(ImportFormat?, ImportError.Code)]
        {
            let error = #expect(throws: ImportError.self) {
                _ = try RecordSource(paths: ["-"], format: format, wholeRow: false)
            }
            #expect(error?.code == code)
        }
    }

    @Test func errorsAreEqualByCode() {
        let first = ImportError(.unreadable, file: "a", line: 1, reason: "x")
        #expect(first == ImportError(.unreadable, file: "b", reason: "y"))
        #expect(first != ImportError(.noSuchPath, file: "a", line: 1, reason: "x"))
        #expect(first.description == "a:1: x")
    }

    /// What was read before an error is delivered before it, and the next file goes on after it.
    @Test func aBadFileDoesNotTakeOthersWithIt() throws {
        let folder = try TemporaryFolder()
        let good = try folder.write("a.jsonl", Self.line.utf8)
        let bad = try folder.write("b.csv", "nothing\n".utf8)
        let source = try RecordSource(paths: [good, bad, bad, good], format: nil, wholeRow: false)
        let batch = try RecordBatch()
        #expect(try source.read(into: batch))
        #expect(batch.records.count == 1)
        batch.reset()
        for _ in 0..<2 {
            #expect(throws: ImportError(.headerLacksColumns, file: "", reason: "")) { try source.read(into: batch) }
            #expect(batch.records.isEmpty)
        }
        #expect(try source.read(into: batch))
        #expect(batch.records.map(\.file) == [3])
        batch.reset()
        #expect(try source.read(into: batch) == false)
    }

    @Test func aFileThatVanishesIsAnError() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.jsonl", Self.line.utf8)
        let source = try RecordSource(paths: [path], format: nil, wholeRow: false)
        #expect(unlink(path) == 0)
        let batch = try RecordBatch()
        #expect(throws: ImportError(.noSuchPath, file: "", reason: "")) { try source.read(into: batch) }
    }

    @Test func problemsAreCappedButCounted() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.jsonl", String(repeating: "x\n", count: 10_005).utf8)
        let source = try RecordSource(paths: [path, path], format: nil, wholeRow: false)
        let batch = try RecordBatch()
        #expect(try source.read(into: batch) == false)
        #expect(source.problemCount == 20_010)
        let kept = source.takeProblems()
        #expect(kept.count == 10_000)
        #expect(kept.last?.line == 10_000)
    }
}
