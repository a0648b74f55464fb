import Testing

import Interchange

@Suite struct JSONLineTests {
    @Test func membersInAnyOrder() throws {
        let outcome = try importJSONL(
            """
            {"name":"a","secret":"s"}
            {"secret":"s2","context":"c","name":"b"}
             { "context" : "" , "name" : "c" , "secretBase64" : "AP8=" }\u{20}
            {"secretBase64":"AP8","name":"d"}
            {"name":"empty","secret":""}
            {"name":"empty base64","secretBase64":""}

            """)
        #expect(
            outcome.records == [
                Imported(name: "a", secret: Array("s".utf8), line: 1),
                Imported(name: "b", context: "c", secret: Array("s2".utf8), line: 2),
                Imported(name: "c", context: "", secret: [0, 255], line: 3, contentType: .bytes),
                Imported(name: "d", secret: [0, 255], line: 4, contentType: .bytes),
                Imported(name: "empty", secret: [], line: 5),
                Imported(name: "empty base64", secret: [], line: 6, contentType: .bytes),
            ])
        #expect(outcome.problems.isEmpty)
    }

    @Test(arguments: [
        (#"\" \\ \/ \b \f \n \r \t"#, "\" \\ / \u{8} \u{C} \n \r \t"),
        (#"\u0041\u00e4\u20AC\ud83d\uDE00\u0000"#, "Aä€😀\0"),
        (#"\ud800\udc00\udbff\udfff"#, "\u{10000}\u{10FFFF}"),
        (#"\uffff\ue000\ud7ff"#, "\u{FFFF}\u{E000}\u{D7FF}"),
        ("äöü €uro 😀 \u{7F}\u{10FFFF}", "äöü €uro 😀 \u{7F}\u{10FFFF}"),
        ("1234567é", "1234567é"), ("12345678é", "12345678é"), (#"1234567\n8"#, "1234567\n8"),
    ])
    func stringsAreDecoded(_ written: String, _ meant: String) throws {
        // At every distance from the beginning of a word.
        for before in 0..<9 {
            let padding = String(repeating: "x", count: before)
            let outcome = try importJSONL(#"{"name":"n","secret":"\#(padding)\#(written)"}"#)
            #expect(outcome.texts == [padding + meant])
        }
    }

    @Test func namesOfMembersMayBeEscaped() throws {
        let outcome = try importJSONL(#"{"n\u0061me":"a","\u0073ecret":"s"}"#)
        #expect(outcome.names == ["a"])
        #expect(try importJSONL(#"{"name":"a","n\u0061me":"b","secret":"s"}"#).records.isEmpty)
    }

    @Test func base64MayHaveEscapedSlashes() throws {
        let outcome = try importJSONL(#"{"name":"a","secretBase64":"\/\/\/\u002f"}"#)
        #expect(outcome.records.first?.secret == [255, 255, 255])
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12", "-1.5", "1e5", "1E+05", "0.0e-1", #""text \u00e4""#, "[]", "{}",
        "[ ]",
        "{ }", "[1, 2,[3] ]", #"{"name":"inner","secret":[{"x":null}]}"#, #"{"a":{"b":{}},"a":1}"#, #"[{}, [], "]"]"#,
    ])
    func otherMembersAreSkipped(_ value: String) throws {
        let outcome = try importJSONL(
            #"""
            {"other":\#(value),"name":"a","secret":"s"}
            {"name":"b","secret":"s","other" : \#(value) }
            {"name":"c","x":\#(value),"x":\#(value),"secret":"s"}
            """#)
        #expect(outcome.names == ["a", "b", "c"])
        #expect(outcome.problems.isEmpty)
    }

    @Test func nameLookalikesAreOthers() throws {
        let outcome = try importJSONL(
            #"{"Name":"x","nam":1,"names":2,"secrets":3,"secretbase64":4,"Context":5,"name":"a","secret":"s"}"#)
        #expect(outcome.names == ["a"])
    }

    @Test func nullIsNoContext() throws {
        let outcome = try importJSONL(#"{"name":"a","context":null,"secret":"s"}"#)
        #expect(outcome.records == [Imported(name: "a", context: nil, secret: Array("s".utf8))])
    }

    @Test func depthIsBounded() throws {
        func line(_ depth: Int) -> String {
            let open = String(repeating: "[", count: depth - 1)
            let close = String(repeating: "]", count: depth - 1)
            return #"{"name":"a","x":\#(open)\#(close),"secret":"s"}"#
        }
        #expect(try importJSONL(line(64)).names == ["a"])
        let deeper = try importJSONL(line(65))
        #expect(deeper.records.isEmpty)
        #expect(deeper.messages.first?.contains("more than 64 objects and arrays") == true)
        #expect(try importJSONL(line(100_000)).problems.count == 1)
    }
}
