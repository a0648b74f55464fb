import Foundation
import Testing

/// Secrets of 64 MiB, the largest there are: a run holds one of them at a time, whatever the number of workers.
@Suite(.serialized) struct LargestSecretsTests {
    private static let largest = 64 << 20
    private static let count = 3
    private static let small = 5000
    /// What is promised of any number and any size of secrets.
    private static let memoryBar = 192

    /// Bytes that differ from one 64 KiB to the next and from one secret to the next.
    private static func plaintext(_ number: Int) -> Data {
        var random = SeededGenerator(seed: UInt64(number))
        let block = Data.random(1 << 16, using: &random)
        var data = Data(capacity: largest)
        for index in 0..<largest >> 16 {
            withUnsafeBytes(of: UInt64(index)) { data.append(contentsOf: $0) }
            data.append(block.dropFirst(8))
        }
        return data
    }

    /// Three of the largest among small ones, under generation 1.
    private func home() throws -> ScratchHome {
        let home = try ScratchHome()
        try home.fill(Secrets(Self.small))
        for number in 0..<Self.count { try home.keyroll("put", "largest-\(number)", input: Self.plaintext(number)) }
        return home
    }

    private func expectContents(_ home: ScratchHome) throws {
        for number in 0..<Self.count {
            let found = try home.keyroll("get", "largest-\(number)").output
            #expect(found == Self.plaintext(number), "largest-\(number)")
        }
        try home.expectAllOpen(Self.small + Self.count)
    }

    @Test func memoryIsBounded() throws {
        let home = try home()
        for (index, options) in [[], ["--workers", "8"]].enumerated() {
            let child = try home.keyroll.start(["reencrypt", "--compromised", "\(index + 1)", "--json"] + options)
            let report: Report = try child.wait().decoded()
            #expect(report.addsUp && report.moved == Self.small + Self.count, "\(report)")
            let verify = try home.keyroll.start(["verify"] + options)
            #expect(verify.wait().code == 0)
            for process in [child, verify] {
                let peak = process.peakMebibytes
                #expect(Sanitizers.watch || peak > 0 && peak <= Self.memoryBar, "\(options): \(peak) MiB")
            }
        }
        try expectContents(home)
        try home.keyroll("doctor")
    }

    @Test func killedAnywhereItIsSimplyRunAgain() throws {
        let home = try home()
        for attempt in 0..<6 {
            let child = try home.keyroll.start(["reencrypt", "--compromised", "1"])
            usleep(UInt32(50_000 + attempt * 100_000))
            child.signal(SIGKILL)
            _ = child.wait()
            try home.expectAllOpen(Self.small + Self.count)
        }
        try home.keyroll("reencrypt", "--compromised", "1")
        #expect(try home.census().counts == [2: Self.small + Self.count])
        try expectContents(home)
        try home.keyroll("doctor")
    }

    /// One byte more is refused, and what is there stays.
    @Test func oneByteMoreIsRefused() throws {
        let home = try ScratchHome()
        let outcome = try home.keyroll.run(["put", "name"], input: Self.plaintext(0) + [0])
        #expect(outcome.code != 0)
        outcome.expectRefusal("\(Self.largest) bytes")
        try home.expectAllOpen(0)
    }
}
