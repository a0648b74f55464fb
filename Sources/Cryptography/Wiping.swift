import COpenSSL

/// Overwrites memory with zeros in a way that the optimiser cannot leave out.
///
/// - Parameter memory: the bytes to overwrite; an empty buffer is left alone.
public func wipe(_ memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress, memory.count > 0 else { return }
    OPENSSL_cleanse(base, memory.count)
}

/// Whether two buffers hold the same bytes, in a time that depends on their lengths only.
///
/// - Returns: false at once when the lengths differ, which are not secret.
public func equalInConstantTime(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return CRYPTO_memcmp(first, second, left.count) == 0
}
