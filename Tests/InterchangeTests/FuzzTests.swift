import Testing

import Interchange

/// Bytes that nobody meant. What comes out does not matter here, only that something does: no crash, no endless loop,
/// and the same whatever the size of the buffers.
@Suite struct FuzzTests {
    private static let jsonPieces = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d800", "\\udc00", "\"name\"", "\"secret\"",
        "\"secretBase64\"",
        "\"context\"", "null", "-", "0", "1e", "\n", "\r\n", " ", "\u{FEFF}", "é", "\0",
        "{\"name\":\"a\",\"secret\":\"",
    ].map { Array($0.utf8) }
    private static let csvPieces = [
        ",", "\"", "\"\"", "\n", "\r\n", "\r", "a", "é", " ", "\0", "u,p", "\",\"", "\u{FEFF}",
    ].map { Array($0.utf8) }

    private func bytes(_ pieces: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...60, using: &generator) {
            if Int.random(in: 0..<8, using: &generator) == 0 {
                bytes.append(UInt8.random(in: 0...255, using: &generator))
            } else {
                bytes += pieces.randomElement(using: &generator) ?? []
            }
        }
        return bytes
    }

    private func check(_ bytes: [UInt8], _ format: ImportFormat, wholeRow: Bool, _ generator: inout SeededGenerator) {
        let limits = ImportLimits(maximumName: 20, maximumContext: 10, maximumSecret: 30)
        func run(_ bufferCapacity: Int, _ batchCapacity: Int) -> Outcome? {
            // A file as a whole may be refused; then it has to be each time.
            var outcome = try? importBytes(
                bytes, format, wholeRow: wholeRow, limits: limits, bufferCapacity: bufferCapacity,
                batchCapacity: batchCapacity)
            for index in outcome?.problems.indices ?? 0..<0 { outcome?.problems[index].file = "" }
            return outcome
        }
        let outcome = run(1 << 16, 1 << 16)
        let other = run(Int.random(in: 1...40, using: &generator), Int.random(in: 1...40, using: &generator))
        if outcome != other { Issue.record("\(bytes)") }
        for record in outcome?.records ?? [] where record.name.isEmpty || record.secret.count > 30 {
            Issue.record("\(bytes)")
        }
    }

    @Test func jsonLines() {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<3000 {
            let bytes = bytes(Self.jsonPieces, &generator)
            check(bytes, .jsonl, wholeRow: false, &generator)
        }
    }

    @Test func csv() {
        var generator = SeededGenerator(state: 6)
        for index in 0..<3000 {
            let header = index % 8 == 0 ? [] : Array("url,password\n".utf8)
            let bytes = header + bytes(Self.csvPieces, &generator)
            check(bytes, .csv, wholeRow: index % 2 == 0, &generator)
        }
    }

    /// Nothing but noise, in the parser alone, with a guard behind the memory it may write.
    @Test func noiseStaysInItsMemory() {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<20_000 {
            var line = Array("{\"".utf8) + bytes(Self.jsonPieces, &generator).filter { $0 != 0x0A }
            let count = line.count
            line += [0x0A] + [UInt8](repeating: 0x22, count: Word.size)
            var output = [UInt8](repeating: 0xEE, count: count + Word.size + 16)
            output.withUnsafeMutableBufferPointer { output in
                line.withUnsafeBufferPointer { line in
                    var parser = JSONLineParser(
                        line.baseAddress!, count: count, output: output.baseAddress!, limits: .init())
                    _ = try? parser.parse()
                    if parser.position > parser.end { Issue.record("read past the line: \(Array(line))") }
                }
            }
            if !output.suffix(16).allSatisfy({ $0 == 0xEE }) { Issue.record("wrote past the room: \(line)") }
        }
    }
}
