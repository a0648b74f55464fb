import Envelopes
import Testing

@Suite struct CBORValueTests {
    /// RFC 8949 appendix A, as far as these documents have such items.
    @Test(arguments: [
        (CBORValue.unsigned(0), "00"), (.unsigned(23), "17"), (.unsigned(24), "1818"), (.unsigned(100), "1864"),
        (.unsigned(255), "18ff"), (.unsigned(256), "190100"), (.unsigned(1000), "1903e8"),
        (.unsigned(65535), "19ffff"), (.unsigned(65536), "1a00010000"), (.unsigned(1_000_000), "1a000f4240"),
        (.unsigned(4_294_967_295), "1affffffff"), (.unsigned(4_294_967_296), "1b0000000100000000"),
        (.unsigned(1_000_000_000_000), "1b000000e8d4a51000"), (.unsigned(UInt64(Int64.max)), "1b7fffffffffffffff"),
        (.unsigned(.max), "1bffffffffffffffff"),
        (.bool(false), "f4"), (.bool(true), "f5"), (.null, "f6"), (.bytes([]), "40"),
        (.bytes([1, 2, 3, 4]), "4401020304"), (.text(""), "60"), (.text("IETF"), "6449455446"),
        (.text("\"\\"), "62225c"), (.text("ü"), "62c3bc"), (.text("水"), "63e6b0b4"), (.array([]), "80"),
        (.array([.unsigned(1), .array([.unsigned(2), .unsigned(3)])]), "8201820203"), (.map([:]), "a0"),
        (.map(["a": .unsigned(1), "b": .array([.unsigned(2), .unsigned(3)])]), "a26161016162820203"),
    ])
    func examples(value: CBORValue, encoding: String) throws {
        #expect(value.encoded() == bytes(encoding))
        #expect(try CBORValue(decoding: bytes(encoding)) == value)
    }

    /// Bytewise order of the encoded names: shorter ones first, then by their bytes, not as people sort.
    @Test func orderOfNames() {
        let names = ["b", "aa", "a", "", "Z", "ä", "zz", "aaa", String(repeating: "k", count: 24), "10", "9"]
        let value = CBORValue.map(Dictionary(uniqueKeysWithValues: names.map { ($0, CBORValue.null) }))
        let sorted = ["", "9", "Z", "a", "b", "10", "aa", "zz", "ä", "aaa", String(repeating: "k", count: 24)]
        var expected: [UInt8] = [0xAB]
        for name in sorted { expected += CBORValue.text(name).encoded() + [0xF6] }
        #expect(value.encoded() == expected)
    }

    /// However the names came into the map.
    @Test func theSameValueGivesTheSameBytes() {
        let names = (0..<200).map { "name \($0 * 7919 % 1000)" }
        var generator = SeededGenerator(state: 1)
        let first = CBORValue.map(Dictionary(names.map { ($0, .text($0)) }) { $1 }).encoded()
        for _ in 0..<20 {
            var pairs: [String: CBORValue] = [:]
            for name in names.shuffled(using: &generator) { pairs[name] = .text(name) }
            #expect(CBORValue.map(pairs).encoded() == first)
        }
    }

    /// Names that Swift takes for the same and that are not the same bytes: a map would lose one of them.
    @Test(arguments: ["caf\u{E9}", "cafe\u{301}", "ü", "\u{80}"])
    func namesAreASCII(name: String) {
        #expect(code(of: [0xA1] + CBORValue.text(name).encoded() + [0x01]) == .invalidText)
    }

    @Test(arguments: [
        ("", EnvelopeError.Code.truncated), ("18", .truncated), ("1900", .truncated), ("42ff", .truncated),
        ("62c3", .truncated), ("82 01", .truncated), ("a161", .truncated), ("a16161", .truncated),
        ("5a80000000", .truncated), ("9bffffffffffffffff", .truncated), ("bb7fffffffffffffff", .truncated),
        ("0000", .trailingBytes), ("f6f6", .trailingBytes), ("1817", .nonCanonical), ("190017", .nonCanonical),
        ("1900ff", .nonCanonical), ("1a0000ffff", .nonCanonical), ("1b00000000ffffffff", .nonCanonical),
        ("580101", .nonCanonical), ("780161", .nonCanonical), ("980101", .nonCanonical), ("b800", .nonCanonical),
        ("1c", .nonCanonical), ("1d", .nonCanonical), ("1e", .nonCanonical), ("5f4101ff", .indefiniteLength),
        ("7f6161ff", .indefiniteLength), ("9f01ff", .indefiniteLength), ("bf616101ff", .indefiniteLength),
        ("1f", .indefiniteLength), ("20", .wrongType), ("38ff", .wrongType), ("c000", .wrongType),
        ("d8604100", .wrongType), ("f7", .wrongType), ("e0", .wrongType), ("f820", .wrongType), ("f93c00", .wrongType),
        ("fa47c35000", .wrongType), ("ff", .wrongType), ("a10101", .wrongType), ("a1410101", .wrongType),
        ("61ff", .invalidText), ("62c328", .invalidText), ("63eda080", .invalidText), ("a161ff00", .invalidText),
        ("a2616101616102", .duplicateHeader), ("a2616201616102", .nonCanonical), ("a262616101616102", .nonCanonical),
    ])
    func faults(document: String, code: EnvelopeError.Code) {
        let encoded = bytes(document.filter { $0 != " " })
        do throws(EnvelopeError) {
            let value = try CBORValue(decoding: encoded)
            Issue.record("was accepted as \(value)")
        } catch { #expect(error.code == code, "\(error)") }
    }

    @Test func depth() throws {
        func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x81, count: depth) + [0xF6] }
        #expect(try CBORValue(decoding: nested(8)).encoded() == nested(8))
        #expect(code(of: nested(1000)) == .tooDeep)
        #expect(code(of: nested(1_000_000)) == .tooDeep)
        let maps = [UInt8]([[UInt8]](repeating: [0xA1, 0x61, 0x61], count: 1000).joined()) + [0xF6]
        #expect(code(of: maps) == .tooDeep)
    }

    @Test func accessors() {
        #expect(CBORValue.unsigned(1).number == 1)
        #expect(CBORValue.bytes([1]).byteString == [1])
        #expect(CBORValue.text("a").string == "a")
        #expect(CBORValue.array([.null]).items == [.null])
        #expect(CBORValue.map(["a": .null]).pairs == ["a": .null])
        #expect(CBORValue.bool(true).truth == true)
        let null = CBORValue.null
        #expect(null.number == nil && null.byteString == nil && null.string == nil)
        #expect(null.items == nil && null.pairs == nil && null.truth == nil)
    }

    private func code(of document: [UInt8]) -> EnvelopeError.Code? {
        do throws(EnvelopeError) {
            _ = try CBORValue(decoding: document)
            return nil
        } catch { return error.code }
    }
}
