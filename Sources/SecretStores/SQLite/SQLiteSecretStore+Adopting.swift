import Databases

/// What a copy of another store is made of.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func adopt(_ secrets: UnsafeBufferPointer<PendingSecret>, marks: StoreMarks) throws {
        try change { database, statements in
            let fence = try statements.presentFence()
            guard fence == 0 else {
                throw StoreError(
                    .notAccepted,
                    "\(place): generation \(fence) protects here already; only a new store takes a copy of another one")
            }
            let known = try self.marks(database).generations
            for mark in marks.generations {
                guard known.allSatisfy({ $0.number != mark.number || $0 == mark }) else {
                    throw StoreError(
                        .foreignGenerations,
                        "\(place): knows another generation \(mark.number) than the store that is copied")
                }
                try statements.note(mark)
            }
            let rows = try SecretRows(database, path: place)
            let allocator = try SlotAllocator(database, slotsPerPage: slotsPerPage, path: place)
            var counts: [UInt32: Int] = [:]
            for secret in secrets {
                let generation = Slot.generation(secret.slot)
                guard generation != 0 else {
                    throw StoreError(
                        .notAccepted, "\(place): secret '\(text(Array(secret.name)))' comes with a free slot")
                }
                while try !rows.insert(secret, id: id(allocator.nextPlace())) {
                    let name = Array(secret.name)
                    guard try self.place(of: name, database) == nil else {
                        throw StoreError(.exists, "\(place): there is a secret named '\(text(name))' already")
                    }
                    // Not the name but the place is taken: its slot was cleared from outside.
                    allocator.passOver()
                }
                allocator.take(secret.slot)
                counts[generation, default: 0] += 1
            }
            try allocator.flush()
            for (generation, change) in counts { try statements.count(generation, change) }
        }
    }
}
