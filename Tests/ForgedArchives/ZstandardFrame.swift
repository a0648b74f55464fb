/// A zstd frame (RFC 8878) of stored and repeated blocks: gibibytes that fit into kibibytes, made without a compressor.
package struct ZstandardFrame: Sendable {
    private static let largestBlock = 1 << 17
    private var blocks: [[UInt8]] = []
    /// The window descriptor: 128 KiB, unless a test wants a reader to take more memory.
    package var window: UInt8 = 7 << 3

    package init(_ bytes: [UInt8] = []) { append(bytes) }

    /// Bytes as they are.
    package mutating func append(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: Self.largestBlock) {
            let end = min(start + Self.largestBlock, bytes.count)
            blocks.append(Self.header(kind: 0, end - start) + bytes[start..<end])
        }
    }

    /// One byte, very often: 4 bytes for every 128 KiB.
    package mutating func append(_ byte: UInt8, times count: Int) {
        var left = count
        while left > 0 {
            let next = min(left, Self.largestBlock)
            blocks.append(Self.header(kind: 1, next) + [byte])
            left -= next
        }
    }

    /// The frame's bytes.
    package var bytes: [UInt8] {
        let start: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, window]
        var last = blocks.last ?? Self.header(kind: 0, 0)
        last[0] |= 1
        return start + blocks.dropLast().joined() + last
    }

    private static func header(kind: Int, _ size: Int) -> [UInt8] {
        let value = kind << 1 | size << 3
        return [UInt8(value & 255), UInt8(value >> 8 & 255), UInt8(value >> 16)]
    }
}
