import Cryptography

/// Wraps one key through OpenSSL's own mode.
func wrapAlone(_ key: [UInt8], under wrappingKey: borrowing SecureBytes) throws -> [UInt8] {
    try key.withUnsafeBytes { try KeyWrap.wrap($0, under: wrappingKey) }
}

/// Unwraps one key through OpenSSL's own mode; nil where the integrity check fails.
func unwrapAlone(_ wrapped: [UInt8], under wrappingKey: borrowing SecureBytes) throws -> [UInt8]? {
    do {
        return try wrapped.withUnsafeBytes { contents(try KeyWrap.unwrap($0, under: wrappingKey)) }
    } catch let error as CryptographyError where error.code == .integrityCheckFailed {
        return nil
    }
}

/// Wraps keys of 32 bytes in step.
func wrap(_ keys: [[UInt8]], in lanes: KeyWrapLanes, under cipher: BlockCipher) throws -> [[UInt8]] {
    for (lane, key) in keys.enumerated() { key.withUnsafeBytes { lanes.load(key: $0.baseAddress!, lane: lane) } }
    try lanes.wrap(keys.count, under: cipher)
    return keys.indices.map { lane in
        var wrapped = [UInt8](repeating: 0, count: KeyWrap.wrappedLength)
        wrapped.withUnsafeMutableBytes { lanes.store(wrapped: $0.baseAddress!, lane: lane) }
        return wrapped
    }
}

/// Unwraps keys of 32 bytes in step; nil for each whose integrity value is wrong.
func unwrap(_ wrapped: [[UInt8]], in lanes: KeyWrapLanes, under cipher: BlockCipher) throws -> [[UInt8]?] {
    for (lane, one) in wrapped.enumerated() {
        one.withUnsafeBytes { lanes.load(wrapped: $0.baseAddress!, lane: lane) }
    }
    try lanes.unwrap(wrapped.count, under: cipher)
    return wrapped.indices.map { lanes.isIntact($0) ? key(in: $0, of: lanes) : nil }
}

/// What lies in a lane.
func key(in lane: Int, of lanes: KeyWrapLanes) -> [UInt8] {
    var key = [UInt8](repeating: 0, count: KeyWrap.keyLength)
    key.withUnsafeMutableBytes { lanes.store(key: $0.baseAddress!, lane: lane) }
    return key
}
