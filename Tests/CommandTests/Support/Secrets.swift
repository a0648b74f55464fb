import Foundation

/// Plaintexts by name, to fill homes with and to compare them to.
struct Secrets: Equatable, Sendable {
    var plaintexts: [String: Data] = [:]
    var contexts: [String: String] = [:]

    init(_ plaintexts: [String: Data] = [:]) { self.plaintexts = plaintexts }

    /// `count` secrets with random bytes, named `prefix-0` and so on.
    init(_ count: Int, _ prefix: String = "secret", bytes: Int = 48) {
        var random = SystemRandomNumberGenerator()
        for index in 0..<count { plaintexts["\(prefix)-\(index)"] = .random(bytes, using: &random) }
    }

    /// What an export wrote.
    init(jsonLines outcome: Outcome) throws {
        for line in try outcome.objects() {
            guard let name = line["name"] as? String else { throw CocoaError(.fileReadCorruptFile) }
            let encoded = (line["secretBase64"] as? String).flatMap { Data(base64Encoded: $0) }
            plaintexts[name] = encoded ?? (line["secret"] as? String).map { Data($0.utf8) }
            contexts[name] = line["context"] as? String
        }
    }

    /// For an import.
    func jsonLines() throws -> Data {
        var lines = Data()
        for (name, plaintext) in plaintexts.sorted(by: { $0.key < $1.key }) {
            var line = ["name": name, "secretBase64": plaintext.base64EncodedString()]
            line["context"] = contexts[name]
            lines += try JSONSerialization.data(withJSONObject: line) + [10]
        }
        return lines
    }

    /// Many accounts with 32-byte secrets, as the lines that `export --format jsonl` writes of them.
    static func accounts(_ count: Int) -> Data {
        var random = SystemRandomNumberGenerator()
        var text = ""
        text.reserveCapacity(count * 80)
        for index in 0..<count {
            let words = (0..<2).map { _ in String(UInt64.random(in: 1 << 63...UInt64.max, using: &random), radix: 16) }
            text += "{\"name\":\"accounts/\(index)\",\"secret\":\"\(words[0])\(words[1])\"}\n"
        }
        return Data(text.utf8)
    }
}

extension Data {
    static func random(_ count: Int, using random: inout some RandomNumberGenerator) -> Data {
        var data = Data(capacity: count + 8)
        while data.count < count { Swift.withUnsafeBytes(of: random.next()) { data.append(contentsOf: $0) } }
        return data.prefix(count)
    }
}

/// Numbers that are random, and the same again for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// From `KEYROLL_TEST_SEED`, else a new seed; it is printed, so that a failure can be had again.
    init(_ what: String) {
        let wished = ProcessInfo.processInfo.environment["KEYROLL_TEST_SEED"].flatMap(UInt64.init)
        seed = wished ?? UInt64.random(in: 1...1 << 48)
        state = seed
        print("\(what): KEYROLL_TEST_SEED=\(seed)")
    }

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
