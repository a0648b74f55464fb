import Envelopes
import Testing

@Suite struct CBORValueFuzzTests {
    /// Random bytes: an error, or a document that has these bytes and no others.
    @Test(arguments: 0..<6)
    func randomBytes(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        var decoded = 0
        for _ in 0..<30_000 {
            let count = Int.random(in: 0..<24, using: &generator)
            let document = (0..<count).map { _ in randomByte(&generator) }
            guard let value = try? CBORValue(decoding: document) else { continue }
            decoded += 1
            #expect(value.encoded() == document)
        }
        #expect(decoded > 50)
    }

    /// A document as the ring's, damaged in a few places.
    @Test(arguments: 0..<6)
    func damagedDocuments(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let good = CBORValue.map([
            "format": .unsigned(1), "name": .text("prüfung"), "group": .bytes(patterned(16, seed: 1)),
            "generations": .array([.map(["number": .unsigned(70_000), "sealed": .null, "archived": .bool(false)])]),
        ]).encoded()
        #expect(try CBORValue(decoding: good).encoded() == good)
        var refused = 0
        for _ in 0..<5000 {
            var document = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                document[Int.random(in: document.indices, using: &generator)] = randomByte(&generator)
            }
            guard let value = try? CBORValue(decoding: document) else {
                refused += 1
                continue
            }
            #expect(value.encoded() == document)
        }
        #expect(refused > 1000)
    }

    /// Documents made at random come back as they were.
    @Test(arguments: 0..<4)
    func roundTrips(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<500 {
            let value = randomValue(&generator, depth: 0)
            #expect(try CBORValue(decoding: value.encoded()) == value)
        }
    }

    /// Heads more often than chance would have them.
    private func randomByte(_ generator: inout SeededGenerator) -> UInt8 {
        let heads: [UInt8] = [0x00, 0x17, 0x18, 0x40, 0x41, 0x58, 0x60, 0x61, 0x80, 0x81, 0x82, 0xA0, 0xA1, 0xF4, 0xF6]
        if Bool.random(using: &generator) { return heads.randomElement(using: &generator)! }
        return UInt8.random(in: 0...255, using: &generator)
    }

    private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> CBORValue {
        let count = Int.random(in: 0..<5, using: &generator)
        switch Int.random(in: 0..<(depth < 5 ? 7 : 5), using: &generator) {
        case 0: return .unsigned(UInt64.random(in: 0 ... .max, using: &generator) >> UInt64(count * 12))
        case 1: return .bytes((0..<count * 70).map { _ in UInt8.random(in: 0...255, using: &generator) })
        case 2: return .text(String(repeating: "é水a", count: count * 9))
        case 3: return .bool(Bool.random(using: &generator))
        case 4: return .null
        case 5: return .array((0..<count).map { _ in randomValue(&generator, depth: depth + 1) })
        default:
            return .map(
                Dictionary(
                    uniqueKeysWithValues: (0..<count).map {
                        (String(repeating: "n", count: $0 * 9), randomValue(&generator, depth: depth + 1))
                    }))
        }
    }
}
