import Cryptography

/// The bytes that hexadecimal digits stand for.
func bytes(_ digits: some StringProtocol) -> [UInt8] {
    let nibbles = digits.utf8.map { $0 < 58 ? $0 - 48 : ($0 | 32) - 87 }
    precondition(nibbles.count % 2 == 0 && nibbles.allSatisfy { $0 < 16 }, "not hexadecimal")
    return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
}

/// A copy in locked memory.
func secure(_ bytes: [UInt8]) throws -> SecureBytes {
    try SecureBytes(count: bytes.count) { $0.copyBytes(from: bytes) }
}

/// What is in locked memory. For tests alone: their keys protect nothing.
func contents(_ memory: borrowing SecureBytes) -> [UInt8] { memory.withUnsafeBytes { Array($0) } }

/// `bytes` with one bit the other way round.
func flipping(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes
}

/// Bytes that look random and are the same in every run.
func patterned(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(state: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
