import Cryptography
import PostgreSQL

/// Copies: of another store into this one, and of this one into a file.
extension PostgreSQLSecretStore {
    /// As ``SecretStore`` says.
    public func adopt(_ secrets: UnsafeBufferPointer<PendingSecret>, marks: StoreMarks) throws {
        for secret in secrets where Slot.generation(secret.slot) == 0 {
            throw StoreError(
                .notAccepted, "\(place): secret '\(text(Array(secret.name)))' comes with a free slot")
        }
        let known = try self.marks().generations
        for mark in marks.generations where known.contains(where: { $0.number == mark.number && $0 != mark }) {
            throw StoreError(
                .foreignGenerations, "\(place): knows another generation \(mark.number) than the store that is copied")
        }
        let noting = marks.generations.map { mark in
            Statement("INSERT INTO \(schema.prefix)generation VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .integer(Int64(mark.number)).bytes(mark.identity.bytes).bytes(mark.checkValue)
        }
        do {
            _ = try change { session in
                try PostgreSQLWrite(store: self, session: session, secrets: secrets) { index, _ in
                    let name = self.text(Array(secrets[index].name))
                    throw StoreError(.exists, "\(self.place): there is a secret named '\(name)' already")
                }.run(opening(.full, fence: (0, true)), under: 0, closing: noting)
            }
        } catch let error as StoreError {
            guard case .fenced(let fence) = error.code else { throw error }
            throw StoreError(
                .notAccepted,
                "\(place): generation \(fence) protects here already; only a new store takes a copy of another one")
        }
    }

    /// As ``SecretStore`` says. The copy is a store of the embedded kind; what no key could open, because its slot or its
    /// content is gone, is not in it.
    public func copy(to path: String) throws {
        let marks = try marks()
        let target = try SQLiteSecretStore.create(path, group: group)
        let reader = try PostgreSQLContentReader(self, keepsSnapshot: true)
        let batch = ContentBatch(softLimit: 4 << 20)
        while true {
            batch.reset()
            guard try reader.read(into: batch, selecting: .all) else { break }
            let pending = batch.records.filter { Slot.generation(batch.base + $0.slot) != 0 }.map { record in
                PendingSecret(
                    name: batch.bytes(record.name), context: record.context.map(batch.bytes),
                    body: batch.bytes(record.body), slot: batch.base + record.slot, birth: record.birth)
            }
            try pending.withUnsafeBufferPointer { try target.adopt($0, marks: marks) }
        }
        // Others may have rolled since; the copy knows whatever its secrets can name.
        let now = try self.marks()
        let newer = now.generations.filter { $0.number <= now.fence && !marks.generations.contains($0) }
        for mark in newer { try target.raiseFence(to: mark) }
        if let fence = now.generations.last(where: { $0.number == now.fence }) { try target.raiseFence(to: fence) }
        try target.emptyLog()
    }
}
