import Cryptography
import Envelopes
import Testing

@Suite struct KeyIdentifierTests {
    private let group = Identity(patterned(16, seed: 1))!

    private func decode(_ bytes: [UInt8]) -> KeyIdentifier? { bytes.withUnsafeBytes { KeyIdentifier($0) } }

    @Test(arguments: [1, 255, 256, 65536, .max] as [UInt32])
    func roundTrip(number: UInt32) {
        let identifier = KeyIdentifier(group: group, generation: number)
        #expect(identifier.bytes.count == KeyIdentifier.length)
        #expect(decode(identifier.bytes) == identifier)
    }

    @Test func numberIsBigEndian() {
        #expect(KeyIdentifier(group: group, generation: 0x0102_0304).bytes == group.bytes + [1, 2, 3, 4])
    }

    @Test func othersAreRefused() {
        #expect(decode([]) == nil)
        #expect(decode(patterned(19, seed: 2)) == nil)
        #expect(decode(patterned(21, seed: 2)) == nil)
        #expect(decode(group.bytes + [0, 0, 0, 0]) == nil)
    }
}
