import Cryptography
import Envelopes
import FoundationEssentials
import Home
import Interchange
import KeyManagement
import Protection
import SecretStores

/// Writes secrets to standard output: as messages, which needs no key, or in clear.
final class ExportWriter {
    private let home: Home
    private let storeName: String?
    private let keys: KeySource
    private let buffer: ExportBuffer
    private let lines = JSONLinesWriter()

    init(_ home: Home, store: String?) throws {
        self.home = home
        storeName = store
        keys = KeySource(home.keeper)
        buffer = try ExportBuffer()
    }

    /// Every secret, in the order of the stores and of each store.
    ///
    /// - Returns: a line for each that could not be written, and for each store that cannot be reached.
    func all(asMessages: Bool) throws -> [String] {
        let stores = try home.stores(named: storeName)
        var failed: [String] = []
        for index in stores.indices {
            // Of a name that several stores have the first one counts.
            failed += try all(of: stores[index], hiddenBy: stores[..<index], asMessages: asMessages)
        }
        return failed + (storeName == nil ? home.unreachable.map(\.line) : [])
    }

    private func all(
        of store: any SecretStore, hiddenBy earlier: ArraySlice<any SecretStore>, asMessages: Bool
    ) throws -> [String] {
        let reader = try store.contentReader()
        let opener = try ContentOpener(group: store.group, keys: keys)
        func isHidden(_ name: UnsafeRawBufferPointer) throws -> Bool {
            try earlier.contains { try Home.holds($0, String(decoding: name, as: UTF8.self)) }
        }
        let batch = ContentBatch()
        var failed: [String] = []
        while true {
            batch.reset()
            guard try reader.read(into: batch, selecting: .all) else { break }
            if asMessages {
                for record in batch.records where try !isHidden(batch.bytes(record.name)) {
                    try message(
                        name: Array(batch.bytes(record.name)), context: record.context.map { Array(batch.bytes($0)) },
                        birth: record.birth, slot: Array(batch.bytes(record.slot..<record.slot + Slot.length)),
                        body: Array(batch.bytes(record.body)))
                }
            } else {
                try opener.open(batch) { index, plaintext, _ in
                    let record = batch.records[index]
                    guard try !isHidden(batch.bytes(record.name)) else { return }
                    try lines.write(
                        name: batch.bytes(record.name), context: record.context.map(batch.bytes), secret: plaintext,
                        into: buffer)
                    if buffer.count > 1 << 20 { try buffer.flush(to: 1) }
                }
            }
            for failure in batch.failures {
                let name = failure.index.map { String(decoding: batch.bytes(batch.records[$0].name), as: UTF8.self) }
                failed.append(
                    "\(name.map { "secret '\($0)'" } ?? "key page \(failure.place.page), slot \(failure.place.slot)"): \(failure.reason.rawValue)"
                )
            }
        }
        try buffer.flush(to: 1)
        return failed
    }

    /// The named secrets.
    func some(_ names: [String], asMessages: Bool) throws -> [String] {
        var failed: [String] = []
        // All or nothing for a name that is not there: found out before the first line is written.
        for name in names { _ = try home.find(name, in: storeName) }
        for name in names {
            let (store, secret) = try home.find(name, in: storeName)
            if asMessages {
                try message(
                    name: secret.name, context: secret.context, birth: secret.birth, slot: secret.slot,
                    body: secret.body)
                continue
            }
            do {
                try SecretCipher.unprotect(secret, group: store.group, keys: keys) { plaintext, _ in
                    try secret.name.withUnsafeBytes { nameBytes in
                        if let context = secret.context {
                            try context.withUnsafeBytes {
                                try lines.write(name: nameBytes, context: $0, secret: plaintext, into: buffer)
                            }
                        } else {
                            try lines.write(name: nameBytes, context: nil, secret: plaintext, into: buffer)
                        }
                    }
                }
            } catch let failure as SecretCipher.Failure { failed.append("\(failure)") }
        }
        try buffer.flush(to: 1)
        return failed
    }

    private struct Line: Encodable {
        var name: String
        var context: String?
        var generation: UInt32
        var birth: UInt32
        var externalAAD: String
        var message: String
    }

    private func message(name: [UInt8], context: [UInt8]?, birth: UInt32, slot: [UInt8], body: [UInt8]) throws {
        let generation = slot.withUnsafeBytes { Slot.generation($0.baseAddress!) }
        let recipients = Message.recipients(
            KeyIdentifier(group: home.keeper.keyring.ring.group, generation: generation),
            wrappedKey: Array(slot[Slot.wrappedKeyOffset...]))
        let external = ExternalAAD.encoded(
            group: home.keeper.keyring.ring.group, name: name, context: context, birth: birth)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(
            name: String(decoding: name, as: UTF8.self), context: context.map { String(decoding: $0, as: UTF8.self) },
            generation: generation, birth: birth, externalAAD: Data(external).base64EncodedString(),
            message: Data(body + recipients).base64EncodedString())
        Array(try encoder.encode(line) + [10]).withUnsafeBytes { Output.bytes($0) }
    }
}
