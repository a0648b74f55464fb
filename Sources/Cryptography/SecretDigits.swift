/// A key as hexadecimal digits in locked memory, for the few files that people print and type in again.
public enum SecretDigits {
    /// A line of text: a head that everybody may see, the key's digits, a new line.
    ///
    /// - Parameters:
    ///   - head: what stands in front.
    ///   - key: any number of bytes; two lower-case digits each.
    public static func line(head: [UInt8], key: borrowing SecureBytes) throws -> SecureBytes {
        try SecureBytes(count: head.count + key.count * 2 + 1) { output in
            output.copyBytes(from: head)
            key.withUnsafeBytes { bytes in
                let digits: StaticString = "0123456789abcdef"
                for (index, byte) in bytes.enumerated() {
                    output[head.count + index * 2] = digits.utf8Start[Int(byte >> 4)]
                    output[head.count + index * 2 + 1] = digits.utf8Start[Int(byte & 15)]
                }
            }
            output[output.count - 1] = 10
        }
    }

    /// The key of 32 bytes whose digits stand at an offset; nil where there are not 64 of them.
    ///
    /// - Parameters:
    ///   - text: the line.
    ///   - offset: where the digits begin.
    ///   - takesCapitals: whether somebody may have typed them in.
    public static func key(
        in text: borrowing SecureBytes, at offset: Int, takesCapitals: Bool = false
    ) throws -> SecureBytes? {
        guard offset >= 0, text.count >= offset + 64 else { return nil }
        let areDigits = text.withUnsafeBytes {
            $0[offset..<offset + 64].allSatisfy { (takesCapitals ? anyValue($0) : value($0)) != nil }
        }
        guard areDigits else { return nil }
        return try SecureBytes(count: 32) { output in
            text.withUnsafeBytes { input in
                for index in 0..<32 {
                    let at = offset + index * 2
                    output[index] = (anyValue(input[at]) ?? 0) << 4 | (anyValue(input[at + 1]) ?? 0)
                }
            }
        }
    }

    /// Bytes that everybody may see, from lower-case digits; nil for anything else.
    public static func publicBytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func anyValue(_ digit: UInt8) -> UInt8? {
        (65...70).contains(digit) ? digit - 55 : value(digit)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }
}
