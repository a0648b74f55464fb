import Cryptography
import Foundation
import Testing

@Suite struct SecureBytesTests {
    /// From the small heap, at its limit, and from mappings.
    static let counts = [0, 1, 31, 32, 4095, SecureBytes.smallLimit, SecureBytes.smallLimit + 1, 8192, 3 << 20]

    @Test(arguments: counts)
    func zeroedAtFirst(count: Int) throws {
        // Memory that was used before comes back without its contents.
        for _ in 0..<3 {
            var memory = try SecureBytes(count: count)
            #expect(memory.count == count)
            #expect(contents(memory) == [UInt8](repeating: 0, count: count))
            memory.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xAA) }
        }
    }

    @Test(arguments: counts)
    func keepsWhatIsWritten(count: Int) throws {
        let pattern = patterned(count, seed: UInt64(count))
        #expect(try contents(secure(pattern)) == pattern)
        let filled = try SecureBytes(count: count) { $0.copyBytes(from: pattern) }
        #expect(contents(filled) == pattern)
    }

    @Test func whatFillingThrowsIsPassedOn() throws {
        struct Refused: Error {}
        #expect(throws: Refused.self) { _ = try SecureBytes(count: 32) { _ in throw Refused() } }
    }

    /// All at once: no two of them share memory.
    @Test func manyDoNotOverlap() throws {
        let boxes = try (0..<2000).map { number in
            try Box(SecureBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: UInt8(number % 251)) })
        }
        for (number, box) in boxes.enumerated() {
            #expect(contents(box.memory).allSatisfy { $0 == UInt8(number % 251) })
        }
    }

    private static let locks = getenv("KEYROLL_TEST_SANITIZER") == nil

    /// What the kernel says of the memory: locked (`lo`) and in no dump (`dd`).
    @Test(
        .enabled(if: Self.locks, "sanitizers do not lock"),
        arguments: [1, 32, SecureBytes.smallLimit, SecureBytes.smallLimit + 1, 64 << 10])
    func lockedAndKeptOutOfDumps(count: Int) throws {
        let memory = try SecureBytes(count: count)
        let address = memory.withUnsafeBytes { UInt(bitPattern: $0.baseAddress!) }
        let flags = try #require(try flags(of: address))
        #expect(flags.contains("lo"))
        #expect(flags.contains("dd"))
        withExtendedLifetime(memory) {}
    }

    /// A mapping of its own is no child's either (`dc`).
    @Test func largeOnesAreClosedToChildren() throws {
        let memory = try SecureBytes(count: 1 << 20)
        let address = memory.withUnsafeBytes { UInt(bitPattern: $0.baseAddress!) }
        #expect(try #require(try flags(of: address)).contains("dc"))
        withExtendedLifetime(memory) {}
    }

    /// `VmLck` in `/proc/self/status`. Other tests take and give back such memory at the same time: one look of several
    /// has to show it.
    @Test(.enabled(if: Self.locks, "sanitizers do not lock")) func lockedMemoryGrows() throws {
        let growths = try (0..<20).map { _ in
            let before = try lockedKiB()
            let boxes = try (0..<4).map { _ in try Box(SecureBytes(count: 1 << 20)) }
            defer { withExtendedLifetime(boxes) {} }
            return try lockedKiB() - before
        }
        #expect(growths.contains { $0 >= 4 << 10 }, "\(growths) KiB")
    }

    private final class Box {
        let memory: SecureBytes
        init(_ memory: consuming SecureBytes) { self.memory = memory }
    }

    private func lockedKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    /// The `VmFlags` of the mapping that holds an address.
    private func flags(of address: UInt) throws -> Set<Substring>? {
        // The kernel gives this file page by page, and Foundation's String takes the first page for the whole.
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps"))
        let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        var isInside = false
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "VmFlags:" {
                if isInside { return Set(words.dropFirst()) }
            } else if !words[0].hasSuffix(":") {
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                isInside = ends.count == 2 && ends[0] <= address && address < ends[1]
            }
        }
        return nil
    }
}
