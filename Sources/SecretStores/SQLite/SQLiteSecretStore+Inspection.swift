import Databases

/// What `doctor` looks at.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func inspect(limit: Int) throws -> [String] {
        try read { database in
            var findings: [String] = []
            let check = try database.texts("PRAGMA quick_check(\(limit))")
            if check != ["ok"] { findings += check.map { "\(place): \($0)" } }
            let room = try RawStatement("SELECT page, free, slots FROM key_page", database, path: place)
            while findings.count < limit, try room.step() {
                let slots = room.bytes(2)
                var free = 0
                for offset in stride(from: 0, to: slots.count - Slot.length + 1, by: Slot.length) {
                    let slot = slots.baseAddress! + offset
                    guard Slot.generation(slot) == 0 else { continue }
                    free += 1
                    if UnsafeRawBufferPointer(start: slot, count: Slot.length).contains(where: { $0 != 0 }) {
                        findings.append(
                            "\(place): key page \(room.integer(0)), slot \(offset / Slot.length): generation 0 with a wrapped key"
                        )
                    }
                }
                if free != Int(room.integer(1)) {
                    findings.append(
                        "\(place): key page \(room.integer(0)) says \(room.integer(1)) free slots and has \(free)")
                }
            }
            return Array(findings.prefix(limit))
        }
    }
}
