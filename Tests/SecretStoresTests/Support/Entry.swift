import Cryptography
import SecretStores

/// A secret as a test writes it. A store never looks into bodies and wrapped keys, so here they are any bytes.
struct Entry: Equatable, Sendable {
    var name: [UInt8]
    var context: [UInt8]?
    var body: [UInt8]
    var slot: [UInt8]
    var generation: UInt32

    /// - Parameters:
    ///   - name: its name.
    ///   - generation: the generation it is written under.
    ///   - bodyLength: the length of its body; from 44 on the body begins with the slot, so that a reader sees whether
    ///     the two belong together.
    ///   - seed: another seed, another content.
    init(
        _ name: String, generation: UInt32 = 1, bodyLength: Int = 100, context: [UInt8]? = nil, seed: UInt64 = 0
    ) {
        self.init(Array(name.utf8), generation: generation, bodyLength: bodyLength, context: context, seed: seed)
    }

    init(_ name: [UInt8], generation: UInt32 = 1, bodyLength: Int = 100, context: [UInt8]? = nil, seed: UInt64 = 0) {
        self.name = name
        self.context = context
        self.generation = generation
        let hash = name.reduce(seed &* 31 &+ UInt64(generation)) { $0 &* 1_099_511_628_211 &+ UInt64($1) }
        slot = Entry.slot(generation, wrapped: patterned(40, seed: hash))
        body = bodyLength >= Slot.length ? slot + patterned(bodyLength - Slot.length, seed: hash &+ 1) : []
        if bodyLength < Slot.length { body = patterned(bodyLength, seed: hash &+ 1) }
    }

    init(_ stored: StoredSecret) {
        name = stored.name
        context = stored.context
        body = stored.body
        slot = stored.slot
        generation = stored.birth
    }

    static func slot(_ generation: UInt32, wrapped: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: generation.bigEndian) { Array($0) } + wrapped
    }

    var text: String { String(decoding: name, as: UTF8.self) }

    /// Calls `body` with itself as a pending secret.
    func withPending<R>(_ body: (PendingSecret) throws -> R) throws -> R {
        try Entry.withPending([self]) { try body($0[0]) }
    }

    /// Calls `body` with entries as pending secrets: in memory that stays where it is.
    static func withPending<R>(
        _ entries: [Entry], _ body: (UnsafeBufferPointer<PendingSecret>) throws -> R
    ) throws -> R {
        let total = entries.reduce(0) { $0 + $1.name.count + ($1.context?.count ?? 0) + $1.body.count + Slot.length }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, total), alignment: 16)
        defer { memory.deallocate() }
        var used = 0
        func put(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
            let place = UnsafeMutableRawBufferPointer(rebasing: memory[used..<used + bytes.count])
            place.copyBytes(from: bytes)
            used += bytes.count
            return UnsafeRawBufferPointer(place)
        }
        let pending = entries.map { entry in
            PendingSecret(
                name: put(entry.name), context: entry.context.map(put), body: put(entry.body),
                slot: put(entry.slot).baseAddress!, birth: entry.generation)
        }
        return try pending.withUnsafeBufferPointer(body)
    }
}

extension GenerationMark {
    /// A generation as tests have it: the number gives all the rest.
    static func test(_ number: UInt32) -> GenerationMark {
        GenerationMark(
            number: number, identity: Identity(patterned(16, seed: UInt64(number)))!,
            checkValue: patterned(8, seed: UInt64(number) + 1000))
    }
}

extension SecretStore {
    /// Writes entries; nobody expects a name to be taken unless `resolve` says what then.
    @discardableResult
    func put(
        _ entries: [Entry], under mark: UInt32? = nil,
        resolve: (Int, StoredSecret) throws -> ConflictDecision = { _, _ in .replace }
    ) throws -> WriteTally {
        try Entry.withPending(entries) {
            try write($0, under: .test(mark ?? entries.first?.generation ?? 1), resolve: resolve)
        }
    }

    /// What is stored under a name.
    func entry(_ name: [UInt8]) throws -> Entry? { try secret(named: name).map(Entry.init) }

    func entry(_ name: String) throws -> Entry? { try entry(Array(name.utf8)) }

    @discardableResult
    func remove(_ name: String) throws -> Bool { try remove(named: Array(name.utf8)) }

    /// Gives a secret another name, its new version being `entry`.
    func rename(_ old: [UInt8], to entry: Entry, under mark: UInt32? = nil) throws {
        try rename(old, to: entry.name, under: .test(mark ?? entry.generation)) { _, store in
            try entry.withPending { try store($0) }
        }
    }

    /// Every name, from the listing.
    func names() throws -> [String] { try list(after: nil, prefix: [], limit: .max >> 1).map(\.name) }
}

/// The code of the error that `body` throws; nil where it throws another one or none.
func code(of body: () throws -> Void) -> StoreError.Code? {
    do { try body() } catch { return (error as? StoreError)?.code }
    return nil
}
