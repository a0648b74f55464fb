import Foundation
import Testing

import Interchange

@Suite struct LineReadingTests {
    private static let good = #"{"name":"a","secret":"s"}"#

    @Test func byteOrderMarkIsAcceptedInTheFirstLineOnly() throws {
        let outcome = try importJSONL("\u{FEFF}\(Self.good)\n\u{FEFF}\(Self.good)\n")
        #expect(outcome.records.map(\.line) == [1])
        #expect(outcome.messages == ["2: column 1: not a json object"])
        #expect(try importJSONL("\u{FEFF}").records.isEmpty)
    }

    @Test(arguments: [[0xFF, 0xFE, 0x7B, 0], [0xFE, 0xFF, 0, 0x7B]] as [[UInt8]])
    func utf16IsRefused(_ bytes: [UInt8]) throws {
        for format in [ImportFormat.jsonl, .csv] {
            let error = #expect(throws: ImportError.self) { try importBytes(bytes, format) }
            #expect(error?.code == .wrongEncoding)
            #expect(error?.description.contains("iconv") == true)
        }
    }

    @Test func lineEndsAndBlankLines() throws {
        let outcome = try importJSONL("\r\n\(Self.good)\r\n\n  \t\r\n\(Self.good)\n\n\(Self.good)")
        #expect(outcome.records.map(\.line) == [2, 5, 7])
        #expect(outcome.problems.isEmpty)
        #expect(try importJSONL("\(Self.good)\r").records.count == 1)
    }

    @Test(arguments: ["", "\n", "\n\n\n", " ", "\r\n"])
    func nothingToRead(_ text: String) throws {
        #expect(try importJSONL(text) == Outcome())
    }

    @Test func aRecordMayStraddleTheBufferAnywhere() throws {
        let line = #"{"name":"näme\u00e4","context":"c\n","secret":"s😀\ud83d\ude00x"}"#
        let expected = try importJSONL(line).records
        #expect(expected.count == 1)
        // Whatever the buffer's size, a line begins and ends at every place in it.
        for capacity in 1...line.utf8.count + 3 {
            for end in ["", "\n", "\r\n"] {
                let outcome = try importJSONL("\(line)\n\n\(line)\(end)", bufferCapacity: capacity)
                #expect(outcome.texts == [expected[0].text, expected[0].text], "\(capacity)")
                #expect(outcome.records.map(\.line) == [1, 3])
                #expect(outcome.problems.isEmpty)
            }
        }
        for before in 0...256 {
            let outcome = try importJSONL(String(repeating: " ", count: before) + line, bufferCapacity: 256)
            #expect(outcome.records == expected, "\(before)")
        }
    }

    @Test func overlongLinesAreSkippedInBoundedMemory() throws {
        let limits = ImportLimits(maximumName: 10, maximumContext: 0, maximumSecret: 100)
        let longest = limits.maximumLine
        func padded(_ count: Int) -> String {
            String(repeating: " ", count: count - Self.good.utf8.count) + Self.good
        }
        for end in ["", "\n"] {
            let text = "\(Self.good)\n\(padded(longest))\n\(padded(longest + 1))\n\(padded(longest * 5))\n\(Self.good)"
            let outcome = try importBytes((text + end).utf8, .jsonl, limits: limits, bufferCapacity: 512)
            #expect(outcome.records.map(\.line) == [1, 2, 5])
            let message = "the line is longer than \(longest) bytes"
            #expect(outcome.messages == ["3: \(message)", "4: \(message)"])
        }
        let last = try importBytes((padded(longest + 1)).utf8, .jsonl, limits: limits, bufferCapacity: 512)
        #expect(last.messages.count == 1)
    }

    @Test func theReadBufferStaysBelowItsLimit() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("long", repeatElement(UInt8(ascii: "x"), count: 100_000))
        let buffer = try ReadBuffer(OpenFile(path: path, name: path), capacity: 16, limit: 1000)
        let lines = LineReader(buffer)
        guard case .tooLong = try lines.peek() else {
            Issue.record("the line should be too long")
            return
        }
        #expect(buffer.capacity == 1000)
    }

    /// A pipe gives a few bytes at a time.
    @Test func pipesAreRead() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let writer = Thread {
            let descriptor = open(path, O_WRONLY)
            for byte in "\(Self.good)\n\(Self.good)".utf8 {
                _ = withUnsafePointer(to: byte) { write(descriptor, $0, 1) }
            }
            close(descriptor)
        }
        let source = try RecordSource(paths: [path], format: .jsonl, wholeRow: false)
        writer.start()
        #expect(try readAll(source).names == ["a", "a"])
    }

    @Test func standardInputIsRead() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("input", "\(Self.good)\nx".utf8)
        let saved = dup(STDIN_FILENO)
        let replacement = open(path, O_RDONLY)
        dup2(replacement, STDIN_FILENO)
        defer {
            dup2(saved, STDIN_FILENO)
            close(saved)
            close(replacement)
        }
        let source = try RecordSource(paths: ["-"], format: .jsonl, wholeRow: false)
        let outcome = try readAll(source)
        #expect(outcome.names == ["a"])
        #expect(outcome.problems.map(\.file) == ["standard input"])
        #expect(fcntl(STDIN_FILENO, F_GETFD) >= 0, "it stays open")
    }
}
