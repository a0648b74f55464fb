import Cryptography
import Glibc
import SecretStores

extension FleetWorkerName {
    /// This process.
    static func own() throws -> FleetWorkerName {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return FleetWorkerName(
            host: String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            process: getpid(), nonce: hexadecimal(try Random.publicBytes(8)))
    }
}
