import Cryptography
import Testing

@Suite struct ComparisonTests {
    private func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { first in right.withUnsafeBytes { equalInConstantTime(first, $0) } }
    }

    @Test(arguments: [1, 7, 8, 32, 1000])
    func everyBitCounts(count: Int) {
        let some = patterned(count, seed: 1)
        #expect(equal(some, some))
        for bit in 0..<count * 8 { #expect(!equal(some, flipping(bit, of: some))) }
    }

    @Test func otherLengthsAreNotEqual() {
        #expect(equal([], []))
        #expect(!equal([], [0]))
        #expect(!equal([1, 2, 3], [1, 2]))
        #expect(!equal([1, 2], [1, 2, 3]))
    }

    @Test(arguments: [0, 1, 4096])
    func wipingLeavesZeros(count: Int) {
        var memory = [UInt8](repeating: 0xFF, count: count)
        memory.withUnsafeMutableBytes { wipe($0) }
        #expect(memory == [UInt8](repeating: 0, count: count))
        wipe(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    /// A part of a buffer, and nothing beside it.
    @Test func wipingKeepsToItsBounds() {
        var memory = [UInt8](repeating: 0xFF, count: 100)
        memory.withUnsafeMutableBytes { wipe(UnsafeMutableRawBufferPointer(rebasing: $0[10..<90])) }
        for (index, byte) in memory.enumerated() { #expect(byte == ((10..<90).contains(index) ? 0 : 0xFF)) }
    }

    @Test func errorsAreEqualByTheirCode() {
        #expect(CryptographyError(.memory, "one") == CryptographyError(.memory, "another"))
        #expect(CryptographyError(.memory) != CryptographyError(.wrongLength))
        #expect(CryptographyError(.wrongLength, "key to wrap").description == "wrong length: key to wrap")
    }
}
