import Testing

import Interchange

@Suite struct RecordBatchTests {
    private func source(_ folder: TemporaryFolder, _ text: String) throws -> RecordSource {
        try RecordSource(paths: [try folder.write("a.jsonl", text.utf8)], format: nil, wholeRow: false)
    }

    private func isWiped(_ batch: RecordBatch) -> Bool {
        UnsafeRawBufferPointer(start: batch.base, count: batch.capacity).allSatisfy { $0 == 0 }
    }

    @Test func resetWipesWhatWasWritten() throws {
        let folder = try TemporaryFolder()
        let batch = try RecordBatch(capacity: 200, maximumRecords: 10)
        let source = try source(folder, #"{"name":"name","context":"ctx","secret":"plaintext"}"#)
        #expect(try source.read(into: batch))
        #expect(batch.used == 16)
        #expect(!isWiped(batch))
        batch.reset()
        #expect(isWiped(batch))
        #expect(batch.used == 0 && batch.records.isEmpty)
        #expect(batch.records.capacity >= 10)
    }

    /// What was decoded of a bad line is not in any record, but it is in the memory.
    @Test func resetWipesBadRecordsToo() throws {
        let folder = try TemporaryFolder()
        let batch = try RecordBatch(capacity: 200, maximumRecords: 10)
        let source = try source(folder, #"{"secret":"plaintext of a line that breaks off"#)
        #expect(try source.read(into: batch) == false)
        #expect(!isWiped(batch))
        batch.reset()
        #expect(isWiped(batch))
    }

    @Test func batchesAreCutByRecords() throws {
        let folder = try TemporaryFolder()
        let line = #"{"name":"n","secret":"s"}"# + "\n"
        let source = try source(folder, String(repeating: line, count: 7))
        let batch = try RecordBatch(capacity: 1000, maximumRecords: 3)
        var counts: [Int] = []
        while try source.read(into: batch) {
            counts.append(batch.records.count)
            batch.reset()
        }
        #expect(counts == [3, 3, 1])
    }

    @Test func batchesAreCutByBytesAndGrowForOneRecord() throws {
        let folder = try TemporaryFolder()
        func line(_ count: Int) -> String {
            #"{"name":"n","secret":"\#(String(repeating: "s", count: count))"}"# + "\n"
        }
        let source = try source(folder, line(10) + line(500) + line(10) + line(10) + line(5))
        let batch = try RecordBatch(capacity: 50, maximumRecords: 100)
        var counts: [[Int]] = []
        while try source.read(into: batch) {
            counts.append(batch.records.map(\.secret.count))
            #expect(batch.used <= batch.capacity)
            for record in batch.records { #expect(batch.bytes(record.secret).allSatisfy { $0 == UInt8(ascii: "s") }) }
            batch.reset()
            #expect(batch.capacity == 50)
        }
        // Room is asked for as much as the line has, before anyone knows how much of it is needed.
        #expect(counts == [[10], [500], [10, 10], [5]])
    }

    /// Records may be added to a batch that has some.
    @Test func readingAddsToTheBatch() throws {
        let folder = try TemporaryFolder()
        let batch = try RecordBatch(capacity: 1000, maximumRecords: 10)
        for _ in 0..<2 {
            #expect(try source(folder, #"{"name":"n","context":"c","secret":"s"}"#).read(into: batch))
        }
        #expect(batch.records.map(\.name) == [0..<1, 3..<4])
        #expect(batch.records.map(\.context) == [1..<2, 4..<5])
        #expect(batch.records.map(\.secret) == [2..<3, 5..<6])
    }
}
