import Cryptography
public import Envelopes
public import KeyManagement
public import SecretStores

/// Protects plaintexts under the active generation: new data keys, wrapped in batches, and the messages' bodies.
///
/// One object serves one thread.
public final class ContentMaker {
    /// The generation that protects.
    public let mark: GenerationMark
    private let cipher: BlockCipher
    private let lanes: KeyWrapLanes
    private let protector: ContentProtector
    private var dataKeys: SecureBytes
    // The keys' memory, which stays where it is; and the slots of the keys in it.
    private let keys: UnsafeMutableRawBufferPointer
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var waiting = 0

    /// - Parameter keyring: the ring; its active generation protects.
    /// - Throws: `KeyManagementError` with `noActiveGeneration`.
    public init(_ keyring: Keyring) throws {
        let (generation, key) = try keyring.active()
        mark = GenerationMark(generation)
        cipher = try BlockCipher(key: key.bytes, .encrypt)
        lanes = try KeyWrapLanes()
        protector = try ContentProtector(group: keyring.ring.group)
        var memory = try SecureBytes(count: 32 * KeyWrapLanes.width)
        keys = memory.withUnsafeMutableBytes { $0 }
        dataKeys = memory
        slots = .allocate(capacity: KeyWrapLanes.width)
    }

    deinit { slots.deallocate() }

    /// One plaintext and where its message goes.
    public struct Item {
        /// The name, UTF-8.
        public var name: UnsafeRawBufferPointer
        /// The context, or nil.
        public var context: UnsafeRawBufferPointer?
        /// The plaintext.
        public var plaintext: UnsafeRawBufferPointer
        /// Its type.
        public var contentType: ContentType
        /// Room for the body: `MessageBody.length` bytes.
        public var body: UnsafeMutableRawPointer
        /// Room for the slot: 44 bytes.
        public var slot: UnsafeMutableRawPointer

        /// Everything that one protection needs.
        public init(
            name: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer?, plaintext: UnsafeRawBufferPointer,
            contentType: ContentType, body: UnsafeMutableRawPointer, slot: UnsafeMutableRawPointer
        ) {
            self.name = name
            self.context = context
            self.plaintext = plaintext
            self.contentType = contentType
            self.body = body
            self.slot = slot
        }
    }

    /// Protects one item, whose slot is written by ``flush()`` or once `KeyWrapLanes.width` items wait.
    ///
    /// For callers that get one plaintext after the other and cannot keep them.
    public func add(_ item: Item) throws {
        if waiting == KeyWrapLanes.width { try flush() }
        if waiting == 0 { try Random.fillWithKeyBytes(keys) }
        let key = keys.baseAddress! + waiting * 32
        lanes.load(key: key, lane: waiting)
        try protector.protect(
            item.plaintext, name: item.name, context: item.context, birth: mark.number, contentType: item.contentType,
            dataKey: key, into: item.body)
        slots[waiting] = item.slot
        waiting += 1
    }

    /// Wraps the data keys of the items that wait, and writes their slots.
    public func flush() throws {
        try lanes.wrap(waiting, under: cipher)
        for lane in 0..<waiting {
            Slot.setGeneration(mark.number, slots[lane])
            lanes.store(wrapped: slots[lane] + Slot.wrappedKeyOffset, lane: lane)
        }
        waiting = 0
        wipe(keys)
        lanes.wipeLanes()
    }

    /// Protects items, each under a data key of its own.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - item: gives the item of an index, 0 to `count` - 1.
    /// - Throws: `CryptographyError`.
    public func protect(_ count: Int, item: (Int) -> Item) throws {
        for index in 0..<count { try add(item(index)) }
        try flush()
    }
}

extension GenerationMark {
    /// What a store notes of a generation.
    public init(_ generation: Generation) {
        self.init(number: generation.number, identity: generation.identity, checkValue: generation.checkValue)
    }
}
