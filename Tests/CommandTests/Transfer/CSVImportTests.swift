import Foundation
import Testing

/// The CSV that browsers and password managers export.
@Suite struct CSVImportTests {
    struct Fixture: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var expected: [String: String]
    }

    static let fixtures = [
        Fixture(
            testDescription: "Chrome",
            text: #"""
                name,url,username,password,note
                example.org,https://example.org/login,alice,hunter2,
                example.org,https://example.org/login,bob,"pass,word","said ""hi"""
                router,https://192.0.2.1/,,admin,
                umlaut,https://example.net/,jürgen,geheim€,
                """#,
            expected: [
                "https://example.org/login#alice": "hunter2", "https://example.org/login#bob": "pass,word",
                "https://192.0.2.1/": "admin", "https://example.net/#jürgen": "geheim€",
            ]),
        Fixture(
            testDescription: "Firefox",
            text: [
                "\"url\",\"username\",\"password\",\"httpRealm\",\"formActionOrigin\",\"guid\",\"timeCreated\","
                    + "\"timeLastUsed\",\"timePasswordChanged\"",
                "\"https://example.org\",\"alice\",\"he said \"\"no\"\"\",,\"https://example.org\",\"{1}\",\"1\",\"1\",\"1\"",
                "\"https://example.net\",\"bob@example.net\",\"two\nlines\",\"realm\",,\"{2}\",\"1\",\"1\",\"1\"",
                "",
            ].joined(separator: "\r\n"),
            expected: [
                "https://example.org#alice": "he said \"no\"", "https://example.net#bob@example.net": "two\nlines",
            ]),
        Fixture(
            testDescription: "Bitwarden",
            text: "\u{FEFF}"
                + #"""
                folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp
                ,,login,Example,,,0,https://example.org,alice,hunter2,otpauth://x
                Work,1,login,No address,"several
                lines",,0,,bob,s3cret,
                """#,
            expected: ["https://example.org#alice": "hunter2", "No address#bob": "s3cret"]),
    ]

    @Test(arguments: fixtures) func passwordsByAddressAndUser(_ fixture: Fixture) throws {
        let home = try ScratchHome()
        let file = try home.write("export.csv", fixture.text)
        try home.keyroll("import", file)
        try home.keyroll("rotate", "--force")
        try home.expectContents(Secrets(fixture.expected.mapValues { Data($0.utf8) }))
        let again = try home.keyroll("import", file, "--json").decoded(Report.self)
        #expect(again.imported == .init(unchanged: fixture.expected.count))
    }

    @Test func wholeRowIsKeptAsAnObject() throws {
        let home = try ScratchHome()
        try home.keyroll("import", home.write("in.csv", Self.fixtures[2].text), "--whole-row")
        let row = try home.keyroll("get", "No address#bob").object()
        #expect(row.count == 11)
        #expect(row["login_password"] as? String == "s3cret" && row["notes"] as? String == "several\nlines")
        #expect(row["folder"] as? String == "Work" && row["login_uri"] as? String == "")
        try home.expectAllOpen(2)
    }

    @Test func badRowsAreReportedByLine() throws {
        let home = try ScratchHome()
        let text = #"""
            url,username,password
            https://a.example,alice,one
            https://b.example,bob
            https://c.example,carol,
            "https://d.example
            ",dan,four
            ,eve,TOPSECRET
            https://f.example,frank,"six"x
            https://g.example,grace,seven
            """#
        let file = try home.write("in.csv", text)
        let outcome = try home.keyroll("import", file, exits: 65)
        #expect(
            outcome.errorLines.map { String($0.split(separator: " ")[1]) }
                == [3, 4, 7, 8].map { "\(file):\($0):" }, "\(outcome.errors)")
        #expect(!outcome.errors.contains("TOPSECRET"))
        try home.expectContents(
            Secrets([
                "https://a.example#alice": Data("one".utf8), "https://d.example\n#dan": Data("four".utf8),
                "https://g.example#grace": Data("seven".utf8),
            ]))
    }

    static let useless = [
        "", "url,username\nhttps://a.example,alice\n", "alice,TOPSECRET\nbob,TOPSECRET\n",
        "url,url,password\na,b,c\n", "username,password\nalice,TOPSECRET\n",
    ]

    @Test(arguments: useless) func uselessHeaderIsRefusedWithoutQuotingIt(_ text: String) throws {
        let home = try ScratchHome()
        let file = try home.write("in.csv", text)
        let outcome = try home.keyroll("import", file, exits: 65)
        outcome.expectErrors([file, "header"])
        #expect(!outcome.errors.contains("TOPSECRET"))
        try home.expectAllOpen(0)
    }

    @Test func formatsThatDoNotFit() throws {
        let home = try ScratchHome()
        let unknown = try home.write("secrets.dat", "a")
        try home.keyroll("import", unknown, exits: 64).expectRefusal("secrets.dat", "files, jsonl, csv")
        try home.keyroll("import", home.folder + "/missing.csv", exits: 66).expectRefusal("missing.csv")
        for format in ["csv", "jsonl"] {
            let outcome = try home.keyroll.run(["import", "/usr/share", "--format", format])
            #expect(outcome.code != 0)
            outcome.expectRefusal("/usr/share", "a folder", format)
        }
        try home.keyroll("import", unknown, "--format", "files")
        try home.expectContents(Secrets(["secrets.dat": Data("a".utf8)]))
    }
}
