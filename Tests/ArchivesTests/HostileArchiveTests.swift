import Archives
import ForgedArchives
import Glibc
import Testing

/// Archives that somebody made, each behind a digest that fits, so that they reach the reader.
@Suite struct HostileArchiveTests {
    private static let group = Result { try Group() }
    private static let archives = Result { () throws -> [HostileArchive] in
        try HostileArchive.all(from: BundleParts(group.get().bundle()))
    }

    /// What they are made from is in order.
    @Test func theOriginalIsRead() throws {
        let group = try Self.group.get()
        let parts = try BundleParts(group.bundle())
        _ = try group.read(parts.packed())
        _ = try group.read(BundleParts.seal(OtherFormats.zstd(Tar.pack(parts.members))))
    }

    @Test func allAreThere() throws {
        #expect(try Self.archives.get().count == 97)
        #expect(Set(try Self.archives.get().map(\.description)).count == (try Self.archives.get().count))
    }

    @Test(arguments: try archives.get()) func isRefused(_ archive: HostileArchive) throws {
        let trusted = try Self.group.get().trusted()
        let start = Self.processorTime()
        let code = code { try Bundle(archive.bytes, place: "a bundle", trusted: trusted) }
        #expect(code.map { archive.codes.contains($0) } == true, "\(code.map { "\($0)" } ?? "it was accepted")")
        #expect(Self.processorTime() - start < 1)
    }

    /// What this thread has used, in seconds: other tests run beside it.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
