import Cryptography
import Testing

@Suite struct RandomTests {
    @Test func keysAreNew() throws {
        var seen: Set<[UInt8]> = []
        for _ in 0..<1000 {
            let key = contents(try Random.key())
            #expect(key.count == 32)
            seen.insert(key)
        }
        #expect(seen.count == 1000)
    }

    /// All of the memory is filled: over some rounds no byte stays zero.
    @Test(arguments: [1, 12, 33, 5000])
    func allBytesAreFilled(count: Int) throws {
        var everSet = [UInt8](repeating: 0, count: count)
        for _ in 0..<8 {
            let bytes = try Random.publicBytes(count)
            for index in 0..<count { everSet[index] |= bytes[index] }
            var memory = [UInt8](repeating: 0, count: count)
            try memory.withUnsafeMutableBytes { try Random.fillWithKeyBytes($0) }
            for index in 0..<count { everSet[index] |= memory[index] }
        }
        #expect(everSet.allSatisfy { $0 != 0 })
    }

    @Test func noBytesAreNoFault() throws {
        #expect(try Random.publicBytes(0).isEmpty)
        try Random.fillWithKeyBytes(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    @Test func identitiesHave16Bytes() throws {
        for count in [0, 15, 17, 32] { #expect(Identity([UInt8](repeating: 1, count: count)) == nil) }
        let identity = try #require(Identity((0..<16).map { UInt8($0 * 17) }))
        #expect(identity.description == "00112233445566778899aabbccddeeff")
        #expect(Identity(identity.bytes) == identity)
        #expect(try Set((0..<100).map { _ in try Identity.random() }).count == 100)
    }

    @Test func hexadecimalDigits() {
        #expect(hexadecimal([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(hexadecimal([]).isEmpty)
    }
}

/// The self-test is keyroll's own, and here it has to pass.
@Suite struct SelfTestTests {
    @Test func passes() throws { try SelfTest.run() }

    @Test func passesOnManyThreadsAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 { group.addTask { try SelfTest.run() } }
            try await group.waitForAll()
        }
    }
}
