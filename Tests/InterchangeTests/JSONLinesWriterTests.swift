import Foundation
import Testing

import Interchange

@Suite struct JSONLinesWriterTests {
    /// Writes one record, and returns the line.
    private func line(_ name: String, _ context: String?, _ secret: [UInt8]) throws -> String {
        let buffer = try ExportBuffer(capacity: 16)
        try write(name, context, secret, into: buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    private func write(_ name: String, _ context: String?, _ secret: [UInt8], into buffer: ExportBuffer) throws {
        let (name, context) = (Array(name.utf8), context.map { Array($0.utf8) })
        try name.withUnsafeBytes { name in
            try secret.withUnsafeBytes { secret in
                guard let context else {
                    return try JSONLinesWriter().write(name: name, context: nil, secret: secret, into: buffer)
                }
                try context.withUnsafeBytes {
                    try JSONLinesWriter().write(name: name, context: $0, secret: secret, into: buffer)
                }
            }
        }
    }

    @Test func theLinesAsTheyAre() throws {
        #expect(try line("n", nil, Array("s".utf8)) == #"{"name":"n","secret":"s"}"# + "\n")
        #expect(try line("n", "", []) == #"{"name":"n","context":"","secret":""}"# + "\n")
        #expect(
            try line("n\"", "\\é", Array("a\"b\\c\n\r\t\u{8}\u{C}/\u{7F}é".utf8))
                == #"{"name":"n\"","context":"\\é","secret":"a\"b\\c\n\r\t\b\f/\#u{7F}é"}"# + "\n")
        #expect(try line("n", nil, [0xFF, 0]) == #"{"name":"n","secretBase64":"/wA="}"# + "\n")
        #expect(try line("n", nil, Array("text\u{1B}".utf8)) == #"{"name":"n","secret":"text\u001b"}"# + "\n")
        #expect(try line("n", nil, [0, 0]) == #"{"name":"n","secretBase64":"AAA="}"# + "\n")
    }

    /// Random names and secrets, read back by ourselves and, line by line, by Foundation.
    @Test func whatIsWrittenIsReadBack() throws {
        var generator = SeededGenerator(state: 4)
        let buffer = try ExportBuffer(capacity: 64)
        var written: [Imported] = []
        for index in 1...3000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...(index % 3 == 0 ? 255 : 127), using: &generator)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let name = "\(index)" + text.replacingOccurrences(of: "\0", with: "")
            let context = index % 2 == 0 ? text : nil
            try write(name, context, bytes, into: buffer)
            written.append(Imported(name: name, context: context, secret: bytes, line: index))
        }
        let folder = try TemporaryFolder()
        let path = folder.path + "/out.jsonl"
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        try buffer.flush(to: descriptor)
        close(descriptor)
        #expect(buffer.count == 0)

        var outcome = try readAll(RecordSource(paths: [path], format: nil, wholeRow: false))
        for index in outcome.records.indices { outcome.records[index].contentType = .text }
        #expect(outcome.records == written)
        #expect(outcome.problems.isEmpty)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        for (line, record) in zip(lines, written) {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
            #expect(object["name"] == record.name)
            #expect(object["context"] == record.context)
            let secret =
                object["secret"].map { Data($0.utf8) } ?? object["secretBase64"].flatMap { Data(base64Encoded: $0) }
            #expect(secret == Data(record.secret))
        }
    }

    @Test func namesHaveToBeText() throws {
        let buffer = try ExportBuffer()
        let bad: [UInt8] = [0xFF]
        try bad.withUnsafeBytes { bad in
            let empty = UnsafeRawBufferPointer(start: nil, count: 0)
            for (name, context) in [(bad, nil), (empty, bad)] as [(UnsafeRawBufferPointer, UnsafeRawBufferPointer?)] {
                #expect(throws: ExportError(.notText, reason: "")) {
                    try JSONLinesWriter().write(name: name, context: context, secret: empty, into: buffer)
                }
            }
            try JSONLinesWriter().write(name: empty, context: nil, secret: empty, into: buffer)
        }
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == "{\"name\":\"\",\"secret\":\"\"}\n")
    }

    @Test func flushingWipesAndShrinks() throws {
        let buffer = try ExportBuffer(capacity: 200)
        try write("n", nil, [UInt8](repeating: 0x61, count: 50), into: buffer)
        let address = try #require(buffer.bytes.baseAddress)
        let null = open("/dev/null", O_WRONLY)
        defer { close(null) }
        try buffer.flush(to: null)
        #expect(UnsafeRawBufferPointer(start: address, count: 200).allSatisfy { $0 == 0 })
        try write("n", nil, [UInt8](repeating: 0x61, count: 5000), into: buffer)
        #expect(buffer.capacity >= 5000)
        try buffer.flush(to: null)
        #expect(buffer.capacity == 200)
    }

    @Test func writeErrorsAreThrownAndNothingStays() throws {
        let buffer = try ExportBuffer(capacity: 100)
        try write("n", nil, [0x61], into: buffer)
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let error = #expect(throws: ExportError.self) { try buffer.flush(to: full) }
        #expect(error?.code == .unwritable)
        #expect(error?.description == "cannot write the export: no space left on device")
        #expect(buffer.count == 0)
    }

    /// A pipe that takes no more than a few bytes at a time, and does not wait.
    @Test func pipesThatAreFullAreWaitedFor() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
        let secret = [UInt8](repeating: 0x61, count: 1_000_000)
        let buffer = try ExportBuffer()
        try write("n", nil, secret, into: buffer)
        let expected = buffer.count
        let reader = Thread {
            var block = [UInt8](repeating: 0, count: 4096)
            while read(reading, &block, block.count) > 0 { usleep(10) }
            close(reading)
        }
        reader.start()
        try buffer.flush(to: writing)
        close(writing)
        #expect(expected > 1_000_000)
    }

    /// The largest secrets come back whatever their bytes are: no line is too long for the reader.
    @Test(arguments: [0x22, 0x01, 0xFF] as [UInt8])
    func theLargestSecretsAreReadBack(_ byte: UInt8) throws {
        let limits = ImportLimits(maximumName: 16, maximumContext: 16, maximumSecret: 1 << 20)
        let secret = [UInt8](repeating: byte, count: limits.maximumSecret)
        let context = String(repeating: "\u{1}", count: 16)
        let buffer = try ExportBuffer()
        try write("n", context, secret, into: buffer)
        let outcome = try importBytes(buffer.bytes, .jsonl, limits: limits)
        #expect(outcome.records.map { $0.secret == secret && $0.context == context } == [true])
    }
}
