import Testing

import Interchange

/// A bad line and what is said about it.
struct BadLine: CustomTestStringConvertible {
    let text: String
    let message: String
    var testDescription: String { text }

    init(_ text: String, _ message: String) {
        self.text = text
        self.message = message
    }
}

@Suite struct JSONLineFaultTests {
    private static let syntax: [BadLine] = [
        BadLine("x", "column 1: not a json object"),
        BadLine(#""text""#, "column 1: not a json object"),
        BadLine(
            "  [1]", "column 3: an array, where each line must be an object (jq -c '.[]' converts an array to lines)"),
        BadLine("{", "column 2: the line ends before the object does"),
        BadLine("{}", "no \"name\""),
        BadLine(#"{"name""#, "column 8: the line ends before the object does"),
        BadLine(#"{"name":"#, "column 9: the line ends before the object does"),
        BadLine(#"{"name":"a","#, "column 13: the line ends before the object does"),
        BadLine(#"{"name":"a"#, "column 11: the line ends inside a string"),
        BadLine(#"{"name":"a\"#, "column 11: the line ends inside a string"),
        BadLine(#"{"x":tru"#, "column 6: expected true, false or null"),
        BadLine(#"{"x":nul }"#, "column 6: expected true, false or null"),
        BadLine("{name:1}", "column 2: expected a member's name in quotes"),
        BadLine(#"{"name" "a"}"#, "column 9: expected a colon after a member's name"),
        BadLine(#"{"name":"a" "secret":"b"}"#, "column 13: expected a comma or a closing brace"),
        BadLine(#"{"name":"a",}"#, "column 13: expected a member's name in quotes"),
        BadLine(#"{"x":}"#, "column 6: expected a value"),
        BadLine(#"{"x":[1 2]}"#, "column 9: expected a comma or a closing bracket"),
        BadLine(#"{"x":[1}}"#, "column 8: expected a comma or a closing bracket"),
        BadLine(#"{"x":{"y":1]}"#, "column 12: expected a comma or a closing brace"),
        BadLine(#"{"x":[1,]}"#, "column 9: expected a value"),
        BadLine(#"{"x":NaN}"#, "column 6: expected a value"),
        BadLine(#"{"x":+1}"#, "column 6: expected a value"),
        BadLine(#"{"x":01}"#, "column 7: expected a comma or a closing brace"),
        BadLine(#"{"x":-}"#, "column 7: not a number as json writes it"),
        BadLine(#"{"x":1.}"#, "column 8: not a number as json writes it"),
        BadLine(#"{"x":1e}"#, "column 8: not a number as json writes it"),
        BadLine(#"{"x":.5}"#, "column 6: expected a value"),
        BadLine(#"{"name":"a","secret":"b"} x"#, "column 27: something after the end of the object"),
        BadLine(#"{"name":"a","secret":"b"}{}"#, "column 26: something after the end of the object"),
        BadLine(#"{"name":"\x"}"#, "column 10: unknown escape in a string"),
        BadLine(#"{"name":"\u12g4"}"#, "column 10: unknown escape in a string"),
        BadLine(#"{"name":"\u12"}"#, "column 10: unknown escape in a string"),
        BadLine(#"{"name":"\ud800"}"#, "column 10: half of a surrogate pair stands alone"),
        BadLine(#"{"name":"\udc00"}"#, "column 10: half of a surrogate pair stands alone"),
        BadLine(#"{"name":"\ud800\u0041"}"#, "column 10: half of a surrogate pair stands alone"),
        BadLine(#"{"name":"\ud800\n"}"#, "column 10: half of a surrogate pair stands alone"),
        BadLine("{\"name\":\"a\tb\"}", "column 11: a control character in a string must be escaped"),
        BadLine("{\"name\":\"a\u{0}b\"}", "column 11: a control character in a string must be escaped"),
    ]

    private static let members: [BadLine] = [
        BadLine(#"{"secret":"s"}"#, "no \"name\""),
        BadLine(#"{"name":"a"}"#, "no \"secret\" and no \"secretBase64\""),
        BadLine(
            #"{"name":"a","secret":"s","secretBase64":"AA"}"#,
            "both \"secret\" and \"secretBase64\", only one may be there"),
        BadLine(#"{"name":"a","name":"b","secret":"s"}"#, "column 13: \"name\" is there twice"),
        BadLine(#"{"name":"a","secret":"s","secret":"s"}"#, "column 26: \"secret\" is there twice"),
        BadLine(
            #"{"name":"a","secretBase64":"AA","secretBase64":"AA"}"#, "column 33: \"secretBase64\" is there twice"),
        BadLine(#"{"context":null,"context":"c","name":"a","secret":"s"}"#, "column 17: \"context\" is there twice"),
        BadLine(#"{"name":1,"secret":"s"}"#, "column 9: \"name\" must be a string"),
        BadLine(#"{"name":null,"secret":"s"}"#, "column 9: \"name\" must be a string"),
        BadLine(#"{"name":"a","secret":["s"]}"#, "column 22: \"secret\" must be a string"),
        BadLine(#"{"name":"a","secret":null}"#, "column 22: \"secret\" must be a string"),
        BadLine(#"{"name":"a","secretBase64":5}"#, "column 28: \"secretBase64\" must be a string"),
        BadLine(#"{"name":"a","context":{},"secret":"s"}"#, "column 23: \"context\" must be a string"),
        BadLine(#"{"name":"","secret":"s"}"#, "the name is empty"),
        BadLine(#"{"name":"a\u0000b","secret":"s"}"#, "the name contains a nul character"),
        BadLine(
            #"{"name":"a","secretBase64":"A_=="}"#,
            "column 28: not base64 (the standard alphabet, without white space)"),
        BadLine(
            #"{"name":"a","secretBase64":"AAAA\n"}"#,
            "column 28: not base64 (the standard alphabet, without white space)"),
    ]

    @Test(arguments: syntax + members)
    func badLineIsReportedAndTheNextGoesOn(_ bad: BadLine) throws {
        let good = #"{"name":"good","secret":"g"}"#
        let outcome = try importJSONL("\(good)\n\(bad.text)\n\(good)\n\(bad.text)")
        #expect(outcome.records.map(\.line) == [1, 3])
        #expect(outcome.texts == ["g", "g"])
        #expect(outcome.messages == ["2: \(bad.message)", "4: \(bad.message)"])
    }

    @Test func invalidUTF8IsReported() throws {
        for bad in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            for member in ["name", "other"] {
                let line = Array(#"{"\#(member)":""#.utf8) + bad + Array(#"","secret":"s"}"#.utf8)
                let outcome = try importBytes(line, .jsonl)
                #expect(outcome.records.isEmpty)
                #expect(outcome.messages == ["1: column \(member.utf8.count + 6): not valid utf-8"])
            }
        }
    }

    @Test func limitsAreReported() throws {
        let limits = ImportLimits(maximumName: 4, maximumContext: 3, maximumSecret: 5)
        let outcome = try importJSONL(
            #"""
            {"name":"abcd","context":"abc","secret":"abcde"}
            {"name":"abcde","secret":""}
            {"name":"a","context":"\u00e4\u00e4","secret":""}
            {"name":"a","secret":"abcdef"}
            {"name":"a","secretBase64":"AAAAAAA="}
            {"name":"b","secretBase64":"AAAAAAAA"}
            """#, limits: limits)
        #expect(outcome.records.map(\.line) == [1, 5])
        #expect(
            outcome.messages == [
                "2: the name is longer than 4 bytes", "3: the context is longer than 3 bytes",
                "4: the secret is larger than 5 bytes", "6: the secret is larger than 5 bytes",
            ])
    }

    @Test func theUsualLimits() throws {
        func line(name: Int = 1, context: Int = 1) -> String {
            let (name, context) = (String(repeating: "n", count: name), String(repeating: "c", count: context))
            return #"{"name":"\#(name)","context":"\#(context)","secret":"s"}"#
        }
        #expect(try importJSONL(line(name: 1024)).names.count == 1)
        #expect(try importJSONL(line(name: 1025)).messages == ["1: the name is longer than 1024 bytes"])
        #expect(try importJSONL(line(context: 65536)).names.count == 1)
        #expect(try importJSONL(line(context: 65537)).messages == ["1: the context is longer than 65536 bytes"])
    }

    /// Whatever is wrong, the message names places and rules only.
    @Test func messagesHoldNothingOfTheLine() throws {
        let marker = "Hunter2Hunter2"
        for bad in Self.syntax + Self.members {
            let line = #"{"zz":"\#(marker)","\#(marker)":["\#(marker)"],"# + bad.text.dropFirst()
            for problem in try importJSONL(line).problems {
                #expect(!problem.description.contains("Hunter"))
            }
        }
    }
}
