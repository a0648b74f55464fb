import SecretStores
import Testing

/// Numbers that no keyroll ever wrote, in rows of the embedded store: whatever comes of them is an error, or a
/// finding, never the end of the process.
@Suite struct EditedRowsTests {
    private static let numbers = ["-9223372036854775808", "-1", "0", "4294967296", "9223372036854775807"]

    private static let columns = [
        ("store", "fence"), ("generation", "number"), ("key_page", "page"), ("key_page", "free"), ("secret", "id"),
        ("secret", "birth"), ("census", "generation"), ("census", "live"), ("quarantine", "id"),
        ("quarantine", "generation"), ("quarantine", "first_seen"), ("journal", "number"), ("journal", "finished"),
    ]

    @Test(arguments: columns.map { "\($0.0).\($0.1)" })
    func everyOperationAnswers(column: String) async {
        await #expect(processExitsWith: .success) { [column = column as String] in
            let parts = column.split(separator: ".")
            for number in EditedRowsTests.numbers {
                try StoreKind.sqlite.run { fixture in
                    try EditedRowsTests.fill(fixture)
                    try RawDatabase.run(
                        fixture.store.place,
                        """
                        PRAGMA ignore_check_constraints = ON;
                        UPDATE \(parts[0]) SET \(parts[1]) = \(number)
                        WHERE rowid = (SELECT max(rowid) FROM \(parts[0]))
                        """)
                    EditedRowsTests.useAll(fixture)
                }
            }
        }
    }

    private static func fill(_ fixture: Fixture) throws {
        try fixture.store.put((0..<100).map { Entry("name \($0)") })
        try fixture.store.raiseFence(to: .test(2))
        try fixture.move(to: 2, failing: [try #require(try fixture.place("name 99")): .keyAbsent])
    }

    /// Each operation once; what it throws is no matter here.
    private static func useAll(_ fixture: Fixture) {
        let store = fixture.store
        _ = try? fixture.again()
        _ = try? store.marks()
        _ = try? store.census()
        _ = try? store.recount()
        _ = try? store.names()
        _ = try? store.quarantine()
        _ = try? store.quarantineCount(except: 2)
        _ = try? store.openQuarantineCount()
        _ = try? store.quarantined("name 99")
        _ = try? store.openJournal()
        _ = try? store.newestJournal()
        _ = try? store.inspect(limit: 10)
        _ = try? store.entry("name 99")
        _ = try? fixture.contents()
        _ = try? store.put([Entry("name 99", generation: 2), Entry("new", generation: 2)])
        _ = try? store.rename(Array("name 98".utf8), to: Entry("other", generation: 2))
        _ = try? store.remove("name 97")
        _ = try? store.raiseFence(to: .test(3))
        _ = try? fixture.move(to: 3)
        _ = try? store.correctCensus()
        _ = try? store.finish(.test("job", isFinished: true)) { _ in }
    }
}
