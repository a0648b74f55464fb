import Testing

import Interchange

/// What a program exports: its header, a row, and what becomes of it.
struct Export: CustomTestStringConvertible {
    let program: String
    let text: String
    let name: String
    var password = "pw"
    var testDescription: String { program }
}

@Suite struct CSVHeaderTests {
    private static let exports = [
        Export(
            program: "Chrome, Edge", text: "name,url,username,password,note\nSite,https://a.example/,me,pw,n\n",
            name: "https://a.example/#me"),
        Export(
            program: "Firefox",
            text: """
                "url","username","password","httpRealm","formActionOrigin","guid","timeCreated","timeLastUsed"
                "https://a.example","me","pw",,"https://a.example","{1}","1","2"
                """,
            name: "https://a.example#me"),
        Export(
            program: "Bitwarden",
            text: """
                folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp
                ,,login,Site,,,0,https://a.example,me,pw,
                """,
            name: "https://a.example#me"),
        Export(
            program: "LastPass",
            text: "url,username,password,totp,extra,name,grouping,fav\r\nhttps://a.example,me,pw,,,Site,,0\r\n",
            name: "https://a.example#me"),
        Export(
            program: "1Password",
            text: "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nSite,,me,pw,,false,false,,\n",
            name: "Site#me"),
        Export(
            program: "KeePassXC",
            text: """
                "Group","Title","Username","Password","URL","Notes","TOTP","Icon","Last Modified","Created"
                "Root","Site","me","pw","","","","0","2024","2024"
                """,
            name: "Site#me"),
        Export(
            program: "KeePass 1",
            text: "\"Account\",\"Login Name\",\"Password\",\"Web Site\",\"Comments\"\nSite,me,pw,,\n",
            name: "Site#me"),
        Export(
            program: "Safari", text: "Title,URL,Username,Password,Notes,OTPAuth\nSite,https://a.example,me,pw,,\n",
            name: "https://a.example#me"),
        Export(
            program: "Dashlane",
            text: """
                username,username2,username3,title,password,note,url,category,otpUrl
                me,other,,Site,pw,,a.example,,
                """,
            name: "a.example#me"),
    ]

    @Test(arguments: exports)
    func columnsAreFound(_ export: Export) throws {
        for mark in ["", "\u{FEFF}"] {
            let outcome = try importCSV(mark + export.text)
            #expect(outcome.names == [export.name])
            #expect(outcome.texts == [export.password])
            #expect(outcome.records.map(\.line) == [2])
            #expect(outcome.records.map(\.contentType) == [.text])
            #expect(outcome.problems.isEmpty)
        }
    }

    @Test func caseAndSpacesDoNotMatter() throws {
        #expect(try importCSV("PASSWORD, Url ,\"uSeRnAmE\"\np,u,n\n").names == ["u#n"])
        #expect(try importCSV("\n\r\nurl,password\nu,p").records.map(\.line) == [4])
    }

    @Test(arguments: [
        ("", ImportError.Code.headerMalformed), ("\n\n", .headerMalformed), ("\"url,password\n", .headerMalformed),
        ("\"url\"x,password\nu,p", .headerMalformed), ("url,username\nu,n", .headerLacksColumns),
        ("username,password\nn,p", .headerLacksColumns), ("url;password\nu;p", .headerLacksColumns),
        ("https://a.example,me,hunter2\n", .headerLacksColumns), ("url,url,password\n", .headerRepeatsColumn),
        ("url,password,Password\n", .headerRepeatsColumn),
        (String(repeating: "x,", count: 1100) + "url,password\n", .headerMalformed),
    ])
    func badHeadersAreRefused(_ text: String, _ code: ImportError.Code) throws {
        let error = #expect(throws: ImportError.self) { try importCSV(text) }
        #expect(error?.code == code)
        // A file without a header has a secret in its first line.
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.description.contains("\n") == false)
        #expect(error?.description.contains("input") == true, "it names the file")
    }

    @Test func wholeRowsNeedDifferentNamesButNoPassword() throws {
        #expect(try importCSV("url,token\nu,t\n", wholeRow: true).texts == [#"{"url":"u","token":"t"}"#])
        for header in ["url,a,a", "url,,", "url,\"a\"\"\",\"a\"\"\""] {
            let error = #expect(throws: ImportError.self) { try importCSV(header + "\n1,2,3", wholeRow: true) }
            #expect(error?.code == .headerRepeatsColumn)
        }
        #expect(try importCSV("url,password,a,a\nu,p,1,2\n").names == ["u"])
        let latin = Array("url,pass".utf8) + [0xE4] + Array("\nu,p".utf8)
        let error = #expect(throws: ImportError.self) { try importBytes(latin, .csv, wholeRow: true) }
        #expect(error?.code == .headerMalformed)
    }
}
