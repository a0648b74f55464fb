import Cryptography
import Glibc

/// OpenSSL's functions, found by name in this process, which is linked to libcrypto by way of Cryptography.
///
/// The baselines call OpenSSL itself, with none of keyroll's code between: its context kept for all keys is the
/// fastest that EVP's AES-256-WRAP can be had.
enum OpenSSL {
    typealias Bytes = UnsafePointer<UInt8>
    typealias MutableBytes = UnsafeMutablePointer<UInt8>

    /// A cipher under one key in one direction.
    final class Context {
        private let context: OpaquePointer
        private let update: EVPCipherUpdate
        private let free: EVPCipherContextFree

        init(_ cipher: String, key: borrowing SecureBytes, encrypting: Bool) throws {
            let fetch: EVPCipherFetch = try OpenSSL.function("EVP_CIPHER_fetch")
            let make: EVPCipherContextNew = try OpenSSL.function("EVP_CIPHER_CTX_new")
            let setFlags: EVPCipherContextSetFlags = try OpenSSL.function("EVP_CIPHER_CTX_set_flags")
            let setPadding: EVPCipherContextSetPadding = try OpenSSL.function("EVP_CIPHER_CTX_set_padding")
            let start: EVPCipherInit = try OpenSSL.function("EVP_CipherInit_ex2")
            update = try OpenSSL.function("EVP_CipherUpdate")
            free = try OpenSSL.function("EVP_CIPHER_CTX_free")
            guard let algorithm = fetch(nil, cipher, nil), let made = make() else { throw Failure(what: cipher) }
            context = made
            // EVP_CIPHER_CTX_FLAG_WRAP_ALLOW, without which the wrap modes are refused.
            setFlags(made, 1)
            let direction: Int32 = encrypting ? 1 : 0
            let started = key.withUnsafeBytes {
                start(made, algorithm, $0.bindMemory(to: UInt8.self).baseAddress, nil, direction, nil)
            }
            guard started == 1, setPadding(made, 0) == 1 else { throw Failure(what: cipher) }
        }

        deinit { free(context) }

        /// Transforms `count` bytes.
        ///
        /// - Returns: whether OpenSSL accepted them.
        @inline(__always)
        func apply(_ input: Bytes, _ count: Int, to output: MutableBytes) -> Bool {
            var written: Int32 = 0
            return update(context, output, &written, input, Int32(count)) == 1
        }
    }

    /// As in "OpenSSL 3.0.19 27 Jan 2026".
    static var version: String {
        guard let version: OpenSSLVersion = try? function("OpenSSL_version"), let text = version(0) else {
            return "unknown"
        }
        return String(cString: text)
    }

    /// OpenSSL refused, or has not what was looked for.
    struct Failure: Error, CustomStringConvertible {
        var what: String
        var description: String { "OpenSSL: \(what) is not available" }
    }

    private static func function<F>(_ name: String) throws -> F {
        guard let symbol = dlsym(nil, name) else { throw Failure(what: name) }
        return unsafeBitCast(symbol, to: F.self)
    }
}

private typealias EVPCipherFetch =
    @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> OpaquePointer?
private typealias EVPCipherContextNew = @convention(c) () -> OpaquePointer?
private typealias EVPCipherContextFree = @convention(c) (OpaquePointer?) -> Void
private typealias EVPCipherContextSetFlags = @convention(c) (OpaquePointer?, Int32) -> Void
private typealias EVPCipherContextSetPadding = @convention(c) (OpaquePointer?, Int32) -> Int32
private typealias EVPCipherInit =
    @convention(c) (OpaquePointer?, OpaquePointer?, OpenSSL.Bytes?, OpenSSL.Bytes?, Int32, OpaquePointer?) -> Int32
private typealias EVPCipherUpdate =
    @convention(c) (OpaquePointer?, OpenSSL.MutableBytes?, UnsafeMutablePointer<Int32>?, OpenSSL.Bytes?, Int32) ->
    Int32
private typealias OpenSSLVersion = @convention(c) (Int32) -> UnsafePointer<CChar>?
