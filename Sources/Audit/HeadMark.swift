import Cryptography
import Files
import Glibc

/// Where the log stood when it was last synced: it has to reach at least there.
struct HeadMark: Equatable {
    static let title = "keyroll audit head/1"
    var position: AuditPosition
    /// The latest time that any mark ever had: a clock that is set back does not set this back.
    var latest: Timestamp
    /// The clock when this was written, and the kernel's own count.
    var at: Timestamp
    var boot: BootTime
    /// Counts the marks.
    var counter: UInt64

    /// What the tag covers.
    private var text: String {
        """
        \(Self.title)
        number \(position.number)
        hash \(position.hash)
        latest \(latest.rawValue)
        at \(at.rawValue)
        boot \(boot.identity) \(boot.seconds)
        counter \(counter)

        """
    }

    init(_ position: AuditPosition, latest: Timestamp, counter: UInt64) {
        self.position = position
        at = .now
        self.latest = max(latest, at)
        boot = .now()
        self.counter = counter
    }

    /// The record with its tag; shorter than a slot.
    func sealed(by seal: AuditLog.Seal) throws -> [UInt8] {
        let covered = Array(text.utf8)
        return covered + Array("tag \(hexadecimal(try seal(covered)))\n".utf8)
    }

    /// Reads a record; nil where it is none, torn, or sealed under another key.
    init?(_ record: some Collection<UInt8>, sealedBy seal: AuditLog.Seal) throws {
        guard let text = String(validating: record.prefix { $0 != 0 }, as: UTF8.self) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        func values(_ index: Int, _ name: String) -> [Substring]? {
            let parts = lines[index].split(separator: " ", omittingEmptySubsequences: false)
            return parts.first.map(String.init) == name ? Array(parts.dropFirst()) : nil
        }
        guard lines.count == 9, lines[0] == Self.title, let number = values(1, "number")?.first.flatMap({ UInt64($0) }),
            let hash = values(2, "hash")?.first.map(String.init), EntryHash(hash) != nil,
            let latest = values(3, "latest")?.first.flatMap({ Int64($0) }),
            let at = values(4, "at")?.first.flatMap({ Int64($0) }),
            let boot = values(5, "boot"), boot.count == 2, let seconds = Int64(boot[1]),
            let counter = values(6, "counter")?.first.flatMap({ UInt64($0) }), let tag = values(7, "tag")?.first
        else { return nil }
        position = AuditPosition(number: number, hash: hash)
        self.latest = Timestamp(rawValue: latest)
        self.at = Timestamp(rawValue: at)
        self.boot = BootTime(identity: String(boot[0]), seconds: seconds)
        self.counter = counter
        let covered = Array(self.text.utf8)
        guard text == self.text + "tag \(tag)\n" else { return nil }
        let expected = Array(hexadecimal(try seal(covered)).utf8)
        let same = expected.withUnsafeBytes { left in
            Array(tag.utf8).withUnsafeBytes { equalInConstantTime(left, $0) }
        }
        guard same else { return nil }
    }
}
