import COpenSSL

/// OpenSSL's streams over memory, freed when the closure ends.
enum MemoryStream {
    /// Lets `body` read bytes that lie elsewhere; they are not copied.
    static func reading<R>(_ bytes: UnsafeRawBufferPointer, _ body: (OpaquePointer) throws -> R) throws -> R {
        guard let length = Int32(exactly: bytes.count) else {
            throw CryptographyError(.wrongLength, "a stream of \(bytes.count) bytes")
        }
        // OpenSSL's stream over memory does not take a null pointer, not even for no bytes.
        guard let stream = bytes.baseAddress.map({ BIO_new_mem_buf($0, length) }) ?? BIO_new(BIO_s_null()) else {
            throw CryptographyError(.memory, "a stream over memory")
        }
        defer { BIO_free(stream) }
        return try body(stream)
    }

    /// What `body` writes, where everybody may see it.
    static func writing(_ body: (OpaquePointer) throws -> Void) throws -> [UInt8] {
        guard let stream = BIO_new(BIO_s_mem()) else { throw CryptographyError(.memory, "a stream into memory") }
        defer { BIO_free(stream) }
        try body(stream)
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(stream))
        let count = bytes.withUnsafeMutableBytes { BIO_read(stream, $0.baseAddress, Int32($0.count)) }
        guard bytes.isEmpty || Int(count) == bytes.count else { throw CryptographyError(.memory, "a stream") }
        return bytes
    }

    /// What `body` writes, in OpenSSL's locked memory all the way.
    static func writingSecret(_ body: (OpaquePointer) throws -> Void) throws -> SecureBytes {
        guard SecureHeap.isReady, let stream = BIO_new(BIO_s_secmem()) else {
            throw CryptographyError(.memory, "a stream into locked memory")
        }
        defer { BIO_free(stream) }
        try body(stream)
        return try SecureBytes(count: BIO_ctrl_pending(stream)) { memory in
            guard memory.count > 0 else { return }
            guard Int(BIO_read(stream, memory.baseAddress, Int32(memory.count))) == memory.count else {
                throw CryptographyError(.memory, "a stream")
            }
        }
    }
}
