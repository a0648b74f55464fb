import Foundation
import Testing

import Interchange

@Suite struct Base64Tests {
    private static func decode(_ text: String) -> [UInt8]? {
        var bytes = Array(text.utf8) + [0]
        let count = bytes.count - 1
        return bytes.withUnsafeMutableBufferPointer { buffer in
            Base64.decode(inPlace: buffer.baseAddress!, count: count).map { Array(buffer[..<$0]) }
        }
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        var output = [UInt8](repeating: 0, count: Base64.encodedCount(bytes.count) + 1)
        output.withUnsafeMutableBufferPointer { buffer in
            bytes.withUnsafeBytes { Base64.encode($0, to: buffer.baseAddress!) }
        }
        #expect(output.last == 0, "nothing is written behind the end")
        return String(decoding: output.dropLast(), as: UTF8.self)
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfTheRFC(plain: String, text: String) {
        #expect(Self.encode(Array(plain.utf8)) == text)
        #expect(Self.decode(text) == Array(plain.utf8))
        #expect(Self.decode(text.replacingOccurrences(of: "=", with: "")) == Array(plain.utf8))
    }

    @Test func agreesWithFoundation() {
        var generator = SeededGenerator(state: 2)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Self.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Self.decode(Self.encode(bytes)) == bytes)
        }
    }

    @Test(arguments: [
        "A", "AAAAA", "=", "==", "====", "A===", "AA=", "AAA==", "AA=A", "AAAA=", "AAAA==", "AAAA====", "AA==AAAA",
        "AA AA", "AAAA\n", "AA-_", "AA.A", "ÄÄ", "AB==", "AAB=", "AB", "AAB",
    ])
    func otherTextIsRefused(_ text: String) {
        #expect(Self.decode(text) == nil)
    }

    @Test func everyByteThatIsNoDigitIsRefused() {
        let digits = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for byte in UInt8.min...UInt8.max {
            for place in 0..<8 {
                var bytes = [UInt8](repeating: UInt8(ascii: "A"), count: 8)
                bytes[place] = byte
                let decoded = bytes.withUnsafeMutableBufferPointer {
                    Base64.decode(inPlace: $0.baseAddress!, count: 8)
                }
                let isPadding = byte == UInt8(ascii: "=") && place == 7
                #expect((decoded != nil) == (digits.contains(byte) || isPadding), "\(byte) at \(place)")
            }
        }
    }
}
