import Glibc
public import SecretStores

/// Makes one store hold what another one holds, byte for byte: names, contexts, births, contents and wrapped keys.
///
/// Applications may go on writing to the source. A pass copies what is not yet the same, so that each one has less to
/// do than the one before; the last one only compares.
public struct CopyRun {
    /// What one pass found and did.
    public struct Pass: Sendable, Equatable {
        /// Secrets of the source that were looked at.
        public var scanned = 0
        /// Those of them that the target had already, byte for byte.
        public var same = 0
        /// Those that were written.
        public var written = 0
        /// Those that are not the same and were left so: a comparison, or wrapped by an older generation than the one
        /// that may protect in the target.
        public var different = 0
        /// Slots without a content and contents without a slot: they cannot be copied.
        public var unreadable: [String] = []

        /// Nothing yet.
        public init() {}
    }

    /// What a pass does about what is not the same.
    public enum Way: Sendable {
        /// The target is new and nobody protects there: secrets are adopted whatever wraps them.
        case adopt
        /// The target is in use: secrets that this generation wraps are written, the others are left.
        case write(GenerationMark)
        /// Nothing is written.
        case compare
    }

    private let source: any SecretStore
    private let target: any SecretStore
    private let control: RunControl

    /// - Parameters:
    ///   - source: is only read.
    ///   - target: another store of the same group.
    ///   - control: stop and progress.
    public init(_ source: any SecretStore, to target: any SecretStore, control: RunControl) {
        self.source = source
        self.target = target
        self.control = control
    }

    /// Goes once through the source; ends early where somebody asks for it.
    public func pass(_ way: Way) throws -> Pass {
        let marks = try source.marks()
        let reader = try source.contentReader()
        let batch = ContentBatch()
        var pass = Pass()
        if case .compare = way {
            control.begin("compare", total: Int(try source.census().total))
        } else {
            control.begin("copy", total: Int(try source.census().total))
        }
        // The first pass into a new store has nothing to look up.
        let isEmpty = try target.list(after: nil, prefix: [], limit: 1).isEmpty
        while !control.isStopping {
            batch.reset()
            guard try reader.read(into: batch) else { break }
            pass.scanned += batch.records.count
            for failure in batch.failures {
                pass.unreadable.append(
                    "key page \(failure.place.page), slot \(failure.place.slot) (generation \(failure.generation))")
            }
            let others = try batch.records.filter { record in
                if isEmpty { return true }
                let present = try target.secret(named: Array(batch.bytes(record.name)))
                return present.map { !Self.isSame($0, record, batch) } ?? true
            }
            pass.same += batch.records.count - others.count
            let written = try write(others, batch, way, marks)
            pass.written += written
            pass.different += others.count - written
            control.add(batch.records.count)
        }
        return pass
    }

    /// Takes out of an adopting target what the source has not any more.
    ///
    /// - Returns: how many that were.
    public func removeStrays() throws -> Int {
        var removed = 0
        try eachStray { name in if try target.remove(named: Array(name.utf8)) { removed += 1 } }
        return removed
    }

    /// Secrets of the target whose names the source does not have.
    ///
    /// - Parameter limit: so many are named; all are counted.
    public func strays(atMost limit: Int) throws -> (count: Int, names: [String]) {
        var found: (count: Int, names: [String]) = (0, [])
        try eachStray { name in
            found.count += 1
            if found.names.count < limit { found.names.append(name) }
        }
        return found
    }

    private func eachStray(_ body: (String) throws -> Void) throws {
        var after: [UInt8]?
        while true {
            let part = try target.list(after: after, prefix: [], limit: 1000)
            guard let last = part.last else { return }
            after = Array(last.name.utf8)
            for secret in part {
                let first = try source.list(after: nil, prefix: Array(secret.name.utf8), limit: 1).first
                if first?.name != secret.name { try body(secret.name) }
            }
        }
    }

    private func write(
        _ records: [ContentBatch.Record], _ batch: ContentBatch, _ way: Way, _ marks: StoreMarks
    ) throws -> Int {
        switch way {
        case .compare: return 0
        case .adopt:
            guard !records.isEmpty else { return 0 }
            do { try adopt(records, batch, marks) } catch let error as StoreError where error.code == .exists {
                // An older version of some, or the same name at a place that was read before.
                for record in records { _ = try target.remove(named: Array(batch.bytes(record.name))) }
                try adopt(records, batch, marks)
            }
            return records.count
        case .write(let mark):
            let current = records.filter { Slot.generation(batch.base + $0.slot) == mark.number }
            guard !current.isEmpty else { return 0 }
            _ = try pending(current, batch).withUnsafeBufferPointer {
                try target.write($0, under: mark) { _, _ in .replace }
            }
            return current.count
        }
    }

    private func adopt(_ records: [ContentBatch.Record], _ batch: ContentBatch, _ marks: StoreMarks) throws {
        try pending(records, batch).withUnsafeBufferPointer { try target.adopt($0, marks: marks) }
    }

    private func pending(_ records: [ContentBatch.Record], _ batch: ContentBatch) -> [PendingSecret] {
        records.map { record in
            PendingSecret(
                name: batch.bytes(record.name), context: record.context.map(batch.bytes),
                body: batch.bytes(record.body), slot: UnsafeRawPointer(batch.base + record.slot), birth: record.birth)
        }
    }

    /// Whether a stored secret is a record, byte for byte.
    public static func isSame(_ secret: StoredSecret, _ record: ContentBatch.Record, _ batch: ContentBatch) -> Bool {
        isSameVersion(secret, record, batch)
            && equal(secret.slot, batch.bytes(record.slot..<record.slot + Slot.length))
    }

    /// Whether a stored secret is the same version as a record: under the same data key, whatever generation wraps that.
    public static func isSameVersion(
        _ secret: StoredSecret, _ record: ContentBatch.Record, _ batch: ContentBatch
    ) -> Bool {
        secret.birth == record.birth && (secret.context == nil) == (record.context == nil)
            && equal(secret.context ?? [], record.context.map(batch.bytes) ?? .init(start: nil, count: 0))
            && equal(secret.body, batch.bytes(record.body))
    }

    private static func equal(_ left: [UInt8], _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard !left.isEmpty else { return true }
        return left.withUnsafeBytes { memcmp($0.baseAddress!, right.baseAddress!, right.count) == 0 }
    }
}
