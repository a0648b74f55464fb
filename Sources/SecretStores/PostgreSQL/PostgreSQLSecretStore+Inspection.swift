import PostgreSQL

/// What `doctor` looks at.
extension PostgreSQLSecretStore {
    /// As ``SecretStore`` says.
    public func inspect(limit: Int) throws -> [String] {
        try read { session in
            var findings: [String] = []
            try session.run(Self.snapshot)
            try eachPage(session) { page, hasRoom, slots in
                guard findings.count < limit else { return }
                var isFull = true
                for slot in 0..<slotsPerPage {
                    let start = slots.baseAddress! + slot * Slot.length
                    guard Slot.generation(start) == 0 else { continue }
                    isFull = false
                    if UnsafeRawBufferPointer(start: start, count: Slot.length).contains(where: { $0 != 0 }) {
                        findings.append("\(place): key page \(page), slot \(slot): generation 0 with a wrapped key")
                    }
                }
                if isFull == hasRoom {
                    findings.append(
                        "\(place): key page \(page) says that it \(hasRoom ? "has" : "has no") room and that is not so")
                }
            }
            let orphans = try session.run(
                Statement(
                    """
                    SELECT s.name FROM \(schema.prefix)secret s
                    LEFT JOIN \(schema.prefix)key_page p ON p.page = s.id / \(slotsPerPage)
                    WHERE p.page IS NULL ORDER BY s.id LIMIT $1
                    """
                ).integer(Int64(max(0, limit - findings.count))))
            for row in 0..<orphans.count {
                findings.append("\(place): secret '\(orphans.text(row, 0) ?? "")' has no key page")
            }
            try session.run([Self.commit])
            return Array(findings.prefix(limit))
        }
    }
}
