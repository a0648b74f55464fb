public import Cryptography

/// Protects and unprotects contents: COSE's Enc_structure (RFC 9052 section 5.3) around AES-256-GCM.
///
/// It keeps OpenSSL's contexts, room for the additional data and a store of nonces, so that nothing is allocated
/// for a secret. One object serves one thread.
public final class ContentProtector {
    private let cipher: ContentCipher
    private let group: [UInt8]
    private var additional: UnsafeMutableRawBufferPointer
    private let nonces: UnsafeMutableRawBufferPointer
    private var nextNonce = 0
    private static let noncesAtOnce = 128

    /// - Parameter group: the group whose secrets these are.
    /// - Throws: ``CryptographyError``.
    public init(group: Identity) throws {
        cipher = try ContentCipher()
        self.group = group.bytes
        additional = .allocate(byteCount: 4096, alignment: 16)
        nonces = .allocate(byteCount: Self.noncesAtOnce * ContentCipher.nonceLength, alignment: 16)
        nextNonce = Self.noncesAtOnce
    }

    deinit {
        additional.deallocate()
        nonces.deallocate()
    }

    /// Writes the body of a message.
    ///
    /// - Parameters:
    ///   - plaintext: 0 bytes to 64 MiB.
    ///   - name: the secret's name, UTF-8.
    ///   - context: additional data that the caller stores in clear, or nil.
    ///   - birth: the number of the active generation.
    ///   - contentType: what the plaintext is.
    ///   - dataKey: 32 random bytes, for this body only.
    ///   - output: room for ``MessageBody/length(plaintext:contentType:)`` bytes.
    /// - Throws: ``CryptographyError``, of OpenSSL, never of the content.
    public func protect(
        _ plaintext: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer?,
        birth: UInt32, contentType: ContentType, dataKey: UnsafeRawPointer, into output: UnsafeMutableRawPointer
    ) throws {
        var writer = CBORWriter(output)
        let layout = MessageBody.write(&writer, plaintext: plaintext.count, contentType: contentType)
        try takeNonce(into: output + layout.nonce.lowerBound)
        let data = authenticated(
            protected: UnsafeRawBufferPointer(
                start: output + layout.protected.lowerBound, count: layout.protected.count),
            name: name, context: context, birth: birth)
        let done = cipher.seal(
            plaintext, key: dataKey, nonce: output + layout.nonce.lowerBound, authenticating: data,
            into: output + layout.ciphertext.lowerBound)
        guard done else { throw CryptographyError(.libraryFailure, "AES-256-GCM") }
    }

    /// Opens a body.
    ///
    /// - Parameters:
    ///   - body: the body's bytes.
    ///   - layout: what ``MessageBody/decode(_:)`` found in them.
    ///   - name: the name it is stored under.
    ///   - context: the context it is stored with.
    ///   - birth: the birth generation it is stored with.
    ///   - dataKey: 32 bytes.
    ///   - output: room for the layout's plaintext length.
    /// - Returns: whether all of it belongs together; otherwise the output is wiped.
    public func unprotect(
        _ body: UnsafeRawBufferPointer, layout: MessageBody.Layout, name: UnsafeRawBufferPointer,
        context: UnsafeRawBufferPointer?, birth: UInt32, dataKey: UnsafeRawPointer, into output: UnsafeMutableRawPointer
    ) -> Bool {
        let data = authenticated(
            protected: UnsafeRawBufferPointer(rebasing: body[layout.protected]), name: name, context: context,
            birth: birth)
        return cipher.open(
            UnsafeRawBufferPointer(rebasing: body[layout.ciphertext]), key: dataKey,
            nonce: body.baseAddress! + layout.nonce.lowerBound, authenticating: data, into: output)
    }

    /// `["Encrypt", protected, external_aad]` (RFC 9052 section 5.3).
    private func authenticated(
        protected: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer?, birth: UInt32
    ) -> UnsafeRawBufferPointer {
        let external = ExternalAAD.length(name: name.count, context: context?.count, birth: birth)
        let needed = 1 + 8 + 9 + protected.count + 9 + external
        if needed > additional.count {
            additional.deallocate()
            additional = .allocate(byteCount: needed * 2, alignment: 16)
        }
        var writer = CBORWriter(additional.baseAddress!)
        writer.head(.array, 3)
        let label: StaticString = "Encrypt"
        writer.text(UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
        writer.bytes(protected)
        writer.head(.bytes, external)
        group.withUnsafeBytes {
            ExternalAAD.write(&writer, group: $0, name: name, context: context, birth: birth)
        }
        return UnsafeRawBufferPointer(start: additional.baseAddress, count: writer.offset)
    }

    private func takeNonce(into output: UnsafeMutableRawPointer) throws {
        let length = ContentCipher.nonceLength
        if nextNonce == Self.noncesAtOnce {
            try Random.fillWithPublicBytes(nonces)
            nextNonce = 0
        }
        output.copyMemory(from: nonces.baseAddress! + nextNonce * length, byteCount: length)
        nextNonce += 1
    }
}
