import Foundation
import Testing

import Interchange

@Suite struct CSVTests {
    private static let header = "name,url,username,password"

    /// The rows below a header, which is line 1.
    private func rows(_ rows: String, wholeRow: Bool = false) throws -> Outcome {
        try importCSV(Self.header + "\n" + rows, wholeRow: wholeRow)
    }

    @Test(arguments: [
        ("t,u,n,p", "u#n"), ("t,,n,p", "t#n"), ("t,u,,p", "u"), ("t,,,p", "t"), (#""t","","n","p""#, "t#n"),
        (#"t,"u,1","n""m",p"#, #"u,1#n"m"#), ("t,\"u\nv\",n,p", "u\nv#n"), ("t,ü,ñ,p", "ü#ñ"),
    ])
    func namesAreMade(_ row: String, _ name: String) throws {
        #expect(try rows(row).names == [name])
    }

    @Test(arguments: [
        ("p", "p"), (#""p""#, "p"), (#""a,b""#, "a,b"), (#""a""b""#, #"a"b"#), (#""""""#, #"""#), (#""""""""#, #""""#),
        ("\"a\nb\"", "a\nb"), ("\"a\r\nb\"", "a\r\nb"), ("\"a\n\"", "a\n"), (" p ", " p "), (#"a"b"#, #"a"b"#),
        (#"a""b"#, #"a""b"#), (#" "a""#, #" "a""#), ("a\rb", "a\rb"), ("é😀", "é😀"), ("\"\"\"a\"\"\"", "\"a\""),
        ("'", "'"), ("a;b\tc", "a;b\tc"), ("\"\r\"", "\r"),
    ])
    func fieldsAreUnquoted(_ written: String, _ meant: String) throws {
        for end in ["", "\n", "\r\n", "\n\n", "\r\n\r\n"] {
            let outcome = try rows("t,u,n,\(written)\(end)")
            #expect(outcome.texts == [meant])
            #expect(outcome.problems.isEmpty)
        }
        // As the first column, and followed by another row.
        let first = try importCSV("password,url\n\(written),u\nx,v\n")
        #expect(first.texts == [meant, "x"])
        #expect(first.names == ["u", "v"])
    }

    /// A return belongs to the line's end only right before a line feed.
    @Test func returnsInsideALineAreContent() throws {
        #expect(try importCSV("password,url,x\np\r,u\r,\n\rq,v,\r\n").records.map(\.text) == ["p\r", "\rq"])
        #expect(try importCSV("password,url,x\np\r,u\r,\n").names == ["u\r"])
        #expect(try importCSV("url,x,password\nu,\r,\n").messages == ["2: no password"])
        #expect(try importCSV("url,x,password\nu,\r,").messages == ["2: no password"])
        #expect(try importCSV("url,password\nu,p\r\r\n").texts == ["p\r"])
    }

    @Test func aFieldOfAQuotedReturn() throws {
        #expect(try rows("t,u,n,\"p\"\r\nt,u,n,\"q\"\r").texts == ["p", "q"])
    }

    @Test func linesAreCountedThroughQuotedLineFeeds() throws {
        let outcome = try rows("t,u,n,\"1\n2\r\n3\"\n\nt,u,n,p\nbad\nt,u,n,p")
        #expect(outcome.records.map(\.line) == [2, 6, 8])
        #expect(outcome.messages == ["7: the row has 1 columns, the header has 4"])
    }

    @Test func sameNamesAreAllDelivered() throws {
        #expect(try rows("t,u,n,p\nt,u,n,q\n").texts == ["p", "q"])
    }

    @Test(arguments: [
        ("t,u,n,", "no password"), (#"t,u,n,"""#, "no password"), (",,n,p", "no url and no title to name it by"),
        ("t,u,n", "the row has 3 columns, the header has 4"), ("t,u,n,p,x", "the row has 5 columns, the header has 4"),
        (" ", "the row has 1 columns, the header has 4"), (#""""#, "the row has 1 columns, the header has 4"),
        (#"t,"u"x,n,p"#, "there is text after a closing quote (byte 6 of the row)"),
        (#"t,u,n,"p" "#, "there is text after a closing quote (byte 10 of the row)"),
        ("t,\"u\"\r,n,p", "there is text after a closing quote (byte 6 of the row)"),
        ("t,u\0,n,p", "the name contains a nul character"),
        ("t,\(String(repeating: "u", count: 1023)),n,p", "the name is longer than 1024 bytes"),
    ])
    func badRowsAreReportedAndTheNextGoesOn(_ row: String, _ message: String) throws {
        let outcome = try rows("t,u,n,p\n\(row)\nt,u,n,q\n\(row)")
        #expect(outcome.texts == ["p", "q"])
        #expect(outcome.messages == ["3: \(message)", "5: \(message)"])
    }

    @Test func invalidUTF8IsReported() throws {
        let start = Array((Self.header + "\nt,").utf8)
        let name = try importBytes(start + [0xFC] + Array(",n,p".utf8), .csv)
        #expect(name.messages == ["2: the name is not valid utf-8"])
        let password = try importBytes(start + Array("u,n,".utf8) + [0xFC], .csv)
        #expect(password.messages == ["2: not valid utf-8: convert the file first (iconv -t utf-8)"])
        // A column that is not used does no harm, unless it becomes part of the secret.
        let other = Array((Self.header + "\n").utf8) + [0xFC] + Array(",u,n,p".utf8)
        #expect(try importBytes(other, .csv).texts == ["p"])
        #expect(try importBytes(other, .csv, wholeRow: true).problems.count == 1)
    }

    @Test func anUnclosedQuoteEndsTheFile() throws {
        let message = "a quote is not closed before the file ends: this row and all after it are not read"
        for text in ["t,u,n,\"p", "t,u,n,\"", "t,u,n,\"p\nt,u,n,p\nt,u,n,p\n", "t,u,n,\"p\"\"\n"] {
            let outcome = try rows("t,u,n,p\n" + text)
            #expect(outcome.texts == ["p"])
            #expect(outcome.messages == ["3: \(message)"])
        }
    }

    @Test func wholeRowsBecomeObjects() throws {
        let outcome = try importCSV(
            "Title,\"a \"\"b\",url,password\r\n\"T\"\"\\\n\t\u{1}é\",,u,\r\nx,y,v,p\r\n", wholeRow: true)
        #expect(outcome.names == ["u", "v"])
        #expect(
            outcome.texts == [
                #"{"Title":"T\"\\\n\t\u0001é","a \"b":"","url":"u","password":""}"#,
                #"{"Title":"x","a \"b":"y","url":"v","password":"p"}"#,
            ])
        #expect(outcome.records.map(\.contentType) == [.json, .json])
        #expect(outcome.problems.isEmpty)
        for record in outcome.records {
            _ = try JSONSerialization.jsonObject(with: Data(record.secret))
        }
    }

    @Test func aRowMayStraddleTheBufferAnywhere() throws {
        let row = "\"t\"\"\",\"ü\r\nv\",n,\"p\"\"q\n😀\""
        let text = "\u{FEFF}\(Self.header)\r\n\(row)\r\n\r\n\(row)"
        for wholeRow in [false, true] {
            let expected = try importCSV(text, wholeRow: wholeRow)
            #expect(expected.records.map(\.line) == [2, 6])
            for capacity in 1...text.utf8.count + 2 {
                #expect(try importCSV(text, wholeRow: wholeRow, bufferCapacity: capacity) == expected, "\(capacity)")
            }
        }
    }

    @Test func overlongRowsAreSkipped() throws {
        let limits = ImportLimits(maximumName: 10, maximumContext: 0, maximumSecret: 100)
        let longest = limits.maximumLine
        func row(_ count: Int) -> String { "t,u,n,p," + String(repeating: "x", count: count - 9) + "\n" }
        func quoted(_ count: Int) -> String { "t,u,n,p,\"" + String(repeating: "\n\"\"", count: count / 3) + "\"\n" }
        let text = Self.header + ",note\n" + row(longest + 1) + row(longest + 2) + quoted(longest * 3) + row(20)
        let outcome = try importBytes(text.utf8, .csv, limits: limits, bufferCapacity: 512)
        #expect(outcome.records.map(\.line) == [2, 4 + longest + 1])
        let message = "the row is longer than \(longest) bytes"
        #expect(outcome.messages == ["3: \(message)", "4: \(message)"])
        let open = try importBytes((Self.header + "\n\"" + row(longest * 2)).utf8, .csv, limits: limits)
        #expect(open.messages.first?.contains("a quote is not closed") == true)
    }

    @Test func theSecretsLimitHolds() throws {
        let limits = ImportLimits(maximumName: 10, maximumContext: 0, maximumSecret: 5)
        let text = Self.header + "\nt,u,n,12345\nt,u,n,123456\nt,u,n,\"12\"\"34\""
        let outcome = try importBytes(text.utf8, .csv, limits: limits)
        #expect(outcome.texts == ["12345", "12\"34"])
        #expect(outcome.messages == ["3: the secret is larger than 5 bytes"])
    }

    /// A large row of the worst kind: every byte grows when it is escaped.
    @Test func largeRowsGrowTheBatch() throws {
        let field = String(repeating: "\u{1}", count: 50_000)
        let outcome = try importBytes("url,password\nu,\(field)\nv,p".utf8, .csv, wholeRow: true, batchCapacity: 100)
        #expect(outcome.records.map(\.secret.count) == [300_025, 26])
    }
}
