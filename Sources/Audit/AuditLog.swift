public import Cryptography
import Dispatch
public import Files
import Glibc

/// The audit log of a home: append-only, each entry with the hash of the one before, signed at checkpoints.
///
/// Any number of threads and processes append to one log: an exclusive `flock` on the head file is held around each
/// append, and what others wrote meanwhile is read first. An append returns once the line is the kernel's, so that no
/// kill of the process loses it; what has to survive a power cut asks for `synced`, and everything else is synced in
/// groups within 100 ms.
public final class AuditLog: @unchecked Sendable {
    // @unchecked: all that changes is touched with `monitor` held.

    /// Who signs checkpoints.
    public typealias Signer = @Sendable () throws -> (certificate: Certificate, key: PrivateKey)
    /// A MAC under a key of the home, for the head file.
    public typealias Seal = @Sendable ([UInt8]) throws -> [UInt8]

    /// The most bytes of a segment, about.
    public static let segmentLimit = 256 << 20
    /// How long an entry may wait for its sync, in milliseconds; the sync itself comes on top.
    static let syncDelay = 50
    /// More than this is not written between two syncs: what a power cut tore is less.
    static let tornLimit = 4 << 20

    let folder: String
    let group: Identity
    let groupName: String
    let signer: Signer
    let seal: Seal
    let every: UInt64
    let limit: Int
    let forwarder: (any AuditForwarder)?
    let headFile: HeadFile
    let monitor = Monitor()
    let queue = DispatchQueue(label: "keyroll.audit", qos: .userInitiated)

    // What this process knows of the log's end.
    var segment: Segment?
    var offset = 0
    var number: UInt64 = 0
    var hash = EntryHash.origin
    var endsWithCheckpoint = false
    /// What a crash left behind the last new line.
    var torn: [UInt8] = []
    var latest: Timestamp?

    // What this process wrote, and how much of it is on the disk.
    var written: UInt64 = 0
    var onDisk: UInt64 = 0
    var isSyncing = false
    var isScheduled = false
    /// Why nothing more is taken.
    var failure: AuditError?

    let buffer = LineBuffer()
    let digester: Digester
    var clock = Moment()
    /// What was added since the last write, for the forwarder.
    var added: [(line: Range<Int>, event: AuditEvent, position: AuditPosition)] = []

    /// Opens a log, or makes it.
    ///
    /// - Parameters:
    ///   - folder: where; made where it is missing, with mode 0700.
    ///   - group: the group's identity.
    ///   - groupName: the group's name.
    ///   - signer: who signs checkpoints; asked each time.
    ///   - seal: a MAC under a key of the home.
    ///   - checkpointEvery: after how many entries one is signed.
    ///   - forwarder: passes entries on.
    ///   - segmentLimit: the most bytes of a segment; every process that writes to a log uses the same.
    /// - Throws: ``AuditError`` with `altered` where the log does not reach what the head file notes, or does not follow
    ///   from there; `FileError`.
    public init(
        folder: String, group: Identity, groupName: String, signer: @escaping Signer, seal: @escaping Seal,
        checkpointEvery: Int = 1000, forwarder: (any AuditForwarder)? = nil,
        segmentLimit: Int = AuditLog.segmentLimit
    ) throws {
        self.folder = folder
        self.group = group
        self.groupName = groupName
        self.signer = signer
        self.seal = seal
        every = UInt64(max(2, checkpointEvery))
        limit = max(1, segmentLimit)
        self.forwarder = forwarder
        if !PrivateFile.exists(folder) { try PrivateFile.makeDirectory(folder) }
        try PrivateFile.checkDirectory(folder)
        headFile = try HeadFile(folder)
        digester = try Digester()
        try headFile.locked { try begin() }
    }

    /// Adds an entry.
    ///
    /// - Parameter synced: return only once it is on the disk.
    /// - Returns: its number and hash.
    /// - Throws: ``AuditError``: the entry is not in the log, and what it stands for must not happen.
    @discardableResult
    public func append(_ event: AuditEvent, synced: Bool = false) throws -> AuditPosition {
        try monitor.locked {
            let position = try transaction {
                try add(event)
                return AuditPosition(number: number, hash: hash.text)
            }
            try settle(synced)
            return position
        }
    }

    /// Adds entries together: all of them are in the log or none.
    public func append(_ events: [AuditEvent], synced: Bool) throws {
        guard !events.isEmpty else { return }
        try monitor.locked {
            try transaction { for event in events { try add(event) } }
            try settle(synced)
        }
    }

    /// Returns once everything that this process added is on the disk.
    public func sync() throws { try monitor.locked { try syncThrough(written) } }

    /// Signs now, unless the last entry is a checkpoint already.
    ///
    /// - Throws: ``AuditError``, or what the signer throws.
    public func checkpoint() throws {
        try monitor.locked {
            try transaction {
                guard number > 0, !endsWithCheckpoint else { return }
                try addCheckpoint()
            }
            try settle(false)
        }
    }

    /// The last entry.
    public var head: AuditPosition {
        get throws {
            try monitor.locked {
                try headFile.locked { try catchUp() }
                return AuditPosition(number: number, hash: hash.text)
            }
        }
    }

    /// The latest time that the log knows, from its last entries and from the head file: a clock that tells less was set
    /// back.
    public var lastMoment: Timestamp? { monitor.locked { latest } }

    /// Keeps a moment beside the log, so that ``lastMoment`` is no earlier after a restart: entries have the machine's
    /// time, which may have been set back, and there may be none for long. A kill of the process does not lose it.
    ///
    /// - Throws: ``AuditError``.
    public func keep(_ moment: Timestamp) throws {
        try monitor.locked {
            if let failure { throw failure }
            guard latest.map({ $0 < moment }) ?? true else { return }
            try headFile.locked { try headFile.note(moment, seal) }
            latest = moment
        }
    }

    /// Signs, syncs and takes nothing more.
    public func close() throws {
        if monitor.locked({ failure?.code == .closed }) { return }
        defer { monitor.locked { failure = failure ?? AuditError(.closed, "\(folder): the audit log was closed") } }
        try checkpoint()
        try sync()
        forwarder?.finish()
    }

    /// Whether the log in a folder belongs to a key, or there is none.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - seal: a MAC under the key.
    public static func fits(_ folder: String, _ seal: Seal) throws -> Bool {
        guard PrivateFile.exists(folder) else { return true }
        if let head = try HeadFile(reading: folder), try head.best(seal) != nil { return true }
        return Segment.all(folder).isEmpty
    }

    /// Notes where the log stands under a key that is about to be in force, so that it is believed under either one.
    ///
    /// - Parameter seal: a MAC under the key that is about to be in force.
    public func prepare(for seal: Seal) throws {
        try sync()
        try monitor.locked {
            try headFile.locked {
                try headFile.note(
                    AuditPosition(number: number, hash: hash.text), latest: latest ?? .now, self.seal)
                try headFile.prepare(self.seal, next: seal)
            }
        }
    }
}
