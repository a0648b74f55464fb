import Interchange

/// Writes random lines of JSON that look like records, and damages some of them.
struct RandomJSON {
    var generator: SeededGenerator

    init(generator: SeededGenerator) { self.generator = generator }

    /// A line without a line feed.
    mutating func line() -> [UInt8] {
        var members = [member("name", oneOf(9) == 0 ? value(depth: 1) : string())]
        switch oneOf(8) {
        case 0: break
        case 1...2: members.append(member("secretBase64", base64()))
        case 3: members += [member("secretBase64", base64()), member("secret", string())]
        default: members.append(member("secret", string()))
        }
        if oneOf(3) == 0 { members.append(member("context", oneOf(4) == 0 ? value(depth: 1) : string())) }
        while oneOf(3) == 0 { members.append(member(nil, value(depth: oneOf(4)))) }
        if oneOf(30) == 0 { members.append(members[0]) }
        members.shuffle(using: &generator)
        var line = space() + Array("{".utf8) + space()
        line += members.joined(separator: space() + Array(",".utf8) + space())
        line += space() + Array("}".utf8) + space()
        if oneOf(3) == 0 { damage(&line) }
        return line.filter { $0 != UInt8(ascii: "\n") }
    }

    private mutating func oneOf(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func space() -> [UInt8] {
        oneOf(4) == 0 ? (0..<oneOf(3)).map { _ in [0x20, 0x09, 0x0D][oneOf(3)] } : []
    }

    private mutating func member(_ name: String?, _ value: [UInt8]) -> [UInt8] {
        let quoted: [UInt8]
        if let name, oneOf(10) > 0 {
            quoted = Array("\"\(name)\"".utf8)
        } else if let name {
            quoted = Array(
                "\"\(name.unicodeScalars.map { oneOf(2) == 0 ? escape($0.value) : String($0) }.joined())\"".utf8)
        } else {
            quoted = string()
        }
        return quoted + space() + Array(":".utf8) + space() + value
    }

    private mutating func escape(_ unit: UInt32) -> String {
        let digits = String(unit, radix: 16, uppercase: oneOf(2) == 0)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private mutating func string() -> [UInt8] {
        var text = "\""
        for _ in 0..<oneOf(20) {
            switch oneOf(12) {
            case 0: text += ["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"][oneOf(8)]
            case 1: text += escape(UInt32(oneOf(0xD800)))
            case 2: text += oneOf(10) == 0 ? escape(UInt32(0xD800 + oneOf(0x800))) : ""
            case 3: text += escape(0xD800 + UInt32(oneOf(0x400))) + escape(0xDC00 + UInt32(oneOf(0x400)))
            case 4: text.unicodeScalars.append(Unicode.Scalar(UInt32(0x80 + oneOf(0xD000))) ?? "x")
            case 5: text.unicodeScalars.append(Unicode.Scalar(UInt32(0x10000 + oneOf(0x100000))) ?? "x")
            default: text.append(["a", "Z", " ", "{", "]", ":", ",", "7", "\u{7F}", "'"][oneOf(10)])
            }
        }
        return Array((text + "\"").utf8)
    }

    private mutating func base64() -> [UInt8] {
        let bytes = (0..<oneOf(12)).map { _ in UInt8(oneOf(256)) }
        var text = [UInt8](repeating: 0, count: Base64.encodedCount(bytes.count) + 1)
        text.withUnsafeMutableBufferPointer { buffer in
            bytes.withUnsafeBytes { Base64.encode($0, to: buffer.baseAddress!) }
        }
        text.removeLast()
        if oneOf(2) == 0 { text.removeAll { $0 == UInt8(ascii: "=") } }
        if oneOf(6) == 0, !text.isEmpty { text[oneOf(text.count)] = Array("=-A/ B".utf8)[oneOf(6)] }
        return [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
    }

    private mutating func value(depth: Int) -> [UInt8] {
        let kind = oneOf(depth > 0 ? 8 : 6)
        switch kind {
        case 0: return string()
        case 1...2:
            return Array(["true", "false", "null", "nul", "NaN", "Infinity"][oneOf(oneOf(8) == 0 ? 6 : 3)].utf8)
        case 3...5:
            let numbers = ["0", "-0", "17", "-1.5", "1e9", "2E-3", "0.25", "1e999", "01", "+1", ".5", "1.", "-", "1e"]
            return Array(numbers[oneOf(oneOf(8) == 0 ? numbers.count : 8)].utf8)
        case 6:
            let depth = oneOf(200) == 0 ? 40 + oneOf(50) : depth
            if depth > 5 {
                let open = [UInt8](repeating: UInt8(ascii: "["), count: depth)
                return open + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
            }
            let values = (0..<oneOf(4)).map { _ in value(depth: depth - 1) }
            return Array("[".utf8) + space() + values.joined(separator: Array(",".utf8)) + Array("]".utf8)
        default:
            let members = (0..<oneOf(4)).map { _ in member(nil, value(depth: depth - 1)) }
            return Array("{".utf8) + members.joined(separator: Array(", ".utf8)) + space() + Array("}".utf8)
        }
    }

    private mutating func damage(_ line: inout [UInt8]) {
        for _ in 0...oneOf(2) where !line.isEmpty {
            let place = oneOf(line.count)
            let byte = oneOf(2) == 0 ? UInt8(oneOf(256)) : Array("\"\\{}[]:, u0\t\0".utf8)[oneOf(13)]
            switch oneOf(4) {
            case 0: line.remove(at: place)
            case 1: line.insert(byte, at: place)
            case 2: line[place] = byte
            default: line.removeSubrange(place..<min(line.count, place + oneOf(6)))
            }
        }
    }
}
