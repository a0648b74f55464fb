import Testing

import Interchange

@Suite struct UTF8ValidationTests {
    private static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { UTF8Validation.isValid($0) }
    }

    @Test func everyCodePointIsValid() {
        var text: [UInt8] = []
        for code in 0...UInt32(0x10FFFF) {
            guard let scalar = Unicode.Scalar(code) else { continue }
            text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        }
        #expect(Self.isValid(text))
        #expect(Self.isValid([]))
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]])
    func malformedIsRefusedAtEveryDistance(_ bad: [UInt8]) {
        for before in 0..<20 {
            let prefix = [UInt8](repeating: 0x61, count: before)
            #expect(!Self.isValid(prefix + bad), "after \(before) bytes")
            #expect(!Self.isValid(prefix + bad + [0x61, 0x61, 0x61]), "after \(before) bytes, before others")
        }
    }

    /// All sequences of two bytes, and random ones of four, against the standard library.
    @Test func agreesWithTheStandardLibrary() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                #expect(Self.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
            }
        }
        var generator = SeededGenerator(state: 1)
        for _ in 0..<100_000 {
            let bytes = (0..<4).map { _ in UInt8.random(in: 0x7F...0xFF, using: &generator) & 0xF7 | 0x80 }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if Self.isValid(bytes) != expected { Issue.record("\(bytes)") }
        }
    }
}
