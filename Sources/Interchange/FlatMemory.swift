import Cryptography

/// Protected memory together with its address.
///
/// `SecureBytes` lends its pointer to a closure only. A parser that works through a batch record by record cannot
/// stay inside one closure, so this keeps the address beside the value that owns it. That is sound because the
/// memory behind a `SecureBytes` never moves while the value lives, and this is noncopyable too: whoever has the
/// pointer from here has to keep this alive. It is the only place in the module where such a pointer gets out.
struct FlatMemory: ~Copyable {
    /// Where the memory is.
    let bytes: UnsafeMutablePointer<UInt8>
    /// How many bytes there are.
    let count: Int
    private let memory: SecureBytes

    /// Zeroed memory; it is wiped when this value goes.
    init(count: Int) throws {
        var memory = try SecureBytes(count: count)
        let base = memory.withUnsafeMutableBytes { $0.baseAddress }
        guard let base else { preconditionFailure("protected memory has an address") }
        bytes = base.assumingMemoryBound(to: UInt8.self)
        self.count = count
        self.memory = memory
    }
}
