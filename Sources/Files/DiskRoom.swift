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

    /// - Parameter needs: those on the same disk are added up.
    /// - Throws: ``FileError``.
    public init(_ needs: [RoomNeed]) throws {
        var known: [dev_t: Int] = [:]
        for need in needs {
            var status = stat()
            guard stat(need.path, &status) == 0 else { throw FileError.current(need.path, "cannot look at") }
            if let index = known[status.st_dev] {
                disks[index].need.bytes += need.bytes
                continue
            }
            var system = statvfs()
            guard statvfs(need.path, &system) == 0 else {
                throw FileError.current(need.path, "cannot look at its file system")
            }
            // What is kept back for root is there for root.
            let blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail
            known[status.st_dev] = disks.count
            disks.append(Disk(need: need, free: Int64(clamping: UInt64(blocks) * UInt64(system.f_frsize))))
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

    private static func kibibytes(_ bytes: Int64) -> String { "\((bytes + 1023) / 1024) KiB" }
}
