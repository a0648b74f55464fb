import Glibc

/// Room on a disk of this machine that a job takes for a time, beside what is there already.
public struct RoomNeed: Sendable, Equatable {
    /// A file or folder on that disk.
    public var path: String
    /// Bytes at its peak.
    public var bytes: Int64

    /// - Parameters:
    ///   - path: a file or folder on that disk.
    ///   - bytes: at its peak.
    public init(path: String, bytes: Int64) {
        self.path = path
        self.bytes = bytes
    }
}

/// Whether disks have the room that a job takes: asked before it begins, since one that ends half-way has cost its time.
///
/// It is an estimate, and others write as well: what begins with enough room can still meet a full disk.
public struct DiskRoom: Sendable {
    /// One disk.
    public struct Disk: Sendable, Equatable {
        /// What is needed there, together, and the first path that is there.
        public var need: RoomNeed
        /// Bytes that this user may still write.
        public var free: Int64

        /// Whether that is too little.
        public var isShort: Bool { free < need.bytes }
    }

    /// All disks, in the order of the needs.
    public private(set) var disks: [Disk] = []

    /// - Parameters:
    ///   - needs: those on the same disk are added up.
    ///   - turns: needs that come one after the other: of those on the same disk the largest counts.
    /// - Throws: ``FileError``.
    public init(_ needs: [RoomNeed], inTurn turns: [RoomNeed] = []) throws {
        var known: [dev_t: Int] = [:]
        func index(of need: RoomNeed) throws -> Int {
            var status = stat()
            guard stat(need.path, &status) == 0 else { throw FileError.current(need.path, "cannot look at") }
            if let index = known[status.st_dev] { return index }
            known[status.st_dev] = disks.count
            disks.append(Disk(need: RoomNeed(path: need.path, bytes: 0), free: try Self.free(need.path)))
            return disks.count - 1
        }
        for need in needs {
            let index = try index(of: need)
            disks[index].need.bytes += need.bytes
        }
        var largest: [Int: Int64] = [:]
        for turn in turns {
            let index = try index(of: turn)
            largest[index] = max(largest[index] ?? 0, turn.bytes)
        }
        for (index, bytes) in largest { disks[index].need.bytes += bytes }
    }

    /// As much as there can be where a file system does not say.
    private static func free(_ path: String) throws -> Int64 {
        var system = statvfs()
        guard statvfs(path, &system) == 0 else { throw FileError.current(path, "cannot look at its file system") }
        guard system.f_blocks > 0 else { return .max }
        // What is kept back for root is there for root.
        let blocks = UInt64(geteuid() == 0 ? system.f_bfree : system.f_bavail)
        let (bytes, overflows) = blocks.multipliedReportingOverflow(by: UInt64(system.f_frsize))
        return overflows ? .max : Int64(clamping: bytes)
    }

    /// A line for each disk that has not enough, for a job that is not to be refused.
    public func warnings(of job: String) -> [String] {
        disks.filter(\.isShort).map {
            "\(job) may take up to \(Self.kibibytes($0.need.bytes)) of room for a time at \($0.need.path), and \(Self.kibibytes($0.free)) are free; where that is too little it stops, nothing is lost, and it can be run again"
        }
    }

    /// Refuses a job that would end on a full disk.
    ///
    /// - Parameter job: what it is, as in "a rotation".
    /// - Throws: ``FileError`` with `inputOutput`.
    public func require(for job: String) throws {
        guard let short = disks.first(where: \.isShort) else { return }
        throw FileError(
            .inputOutput, short.need.path,
            "\(job) takes \(Self.kibibytes(short.need.bytes)) of room for a time, and \(Self.kibibytes(short.free)) are free; nothing was changed; make room and run it again"
        )
    }

    /// A line for each disk, for who plans.
    public var lines: [String] {
        disks.map {
            "takes \(Self.kibibytes($0.need.bytes)) of room for a time at \($0.need.path), where \(Self.kibibytes($0.free)) are free"
        }
    }

    private static func kibibytes(_ bytes: Int64) -> String { "\(bytes / 1024 + (bytes % 1024 > 0 ? 1 : 0)) KiB" }
}
