import Foundation
import Testing

import Interchange

/// Random lines, good and damaged, as python3's json reads them.
@Suite struct JSONDifferentialTests {
    /// Reads lines from standard input and writes for each non-blank one its number, and name, context and secret in
    /// hexadecimal, or `bad`.
    private static let python = #"""
        import base64, json, re, sys

        class Pairs(list):
            pass

        def constant(name):
            raise ValueError(name)

        def check(value, depth):
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, Pairs):
                if depth > 64:
                    raise ValueError("deep")
                for key, inner in value:
                    key.encode()
                    check(inner, depth + 1)
            elif isinstance(value, list):
                if depth > 64:
                    raise ValueError("deep")
                for inner in value:
                    check(inner, depth + 1)

        def unbase64(text):
            digits = text
            if len(text) % 4 == 0:
                digits = re.sub("={1,2}\\Z", "", text)
            if not re.fullmatch("[A-Za-z0-9+/]*", digits):
                raise ValueError("base64")
            padded = digits + "=" * (-len(digits) % 4)
            data = base64.b64decode(padded, validate=True)
            if base64.b64encode(data).decode() != padded:
                raise ValueError("base64")
            return data

        def parse(line):
            value = json.loads(line.decode("utf-8"), object_pairs_hook=Pairs, parse_constant=constant)
            if not isinstance(value, Pairs):
                raise ValueError("object")
            check(value, 1)
            known = {}
            for key, inner in value:
                if key in ("name", "context", "secret", "secretBase64"):
                    if key in known:
                        raise ValueError("twice")
                    if not isinstance(inner, str) and not (key == "context" and inner is None):
                        raise ValueError("type")
                    known[key] = inner
            name = known["name"].encode()
            if not 1 <= len(name) <= 1024 or 0 in name:
                raise ValueError("name")
            if ("secret" in known) == ("secretBase64" in known):
                raise ValueError("secret")
            secret = known["secret"].encode() if "secret" in known else unbase64(known["secretBase64"])
            context = known.get("context")
            return name.hex(), "-" if context is None else "+" + context.encode().hex(), "+" + secret.hex()

        for number, line in enumerate(sys.stdin.buffer.read().split(b"\n"), 1):
            if line.strip(b" \t\r"):
                try:
                    print(number, *parse(line))
                except (ValueError, KeyError, RecursionError):
                    print(number, "bad")
        """#

    @Test func agreesWithPython() throws {
        var generator = SeededGenerator(state: 3)
        var text: [UInt8] = []
        for _ in 0..<20_000 {
            var writer = RandomJSON(generator: generator)
            text += writer.line() + [UInt8(ascii: "\n")]
            generator = writer.generator
        }
        let folder = try TemporaryFolder()
        let path = try folder.write("lines.jsonl", text)
        let outcome = try readAll(RecordSource(paths: [path], format: nil, wholeRow: false))

        var ours: [Int: String] = [:]
        for record in outcome.records {
            let context = record.context.map { "+" + hexadecimal(Array($0.utf8)) } ?? "-"
            let name = hexadecimal(Array(record.name.utf8))
            ours[record.line] = "\(record.line) \(name) \(context) +\(hexadecimal(record.secret))"
        }
        for problem in outcome.problems { ours[problem.line ?? 0] = "\(problem.line ?? 0) bad" }

        let theirs = try run("python3", ["-c", Self.python], input: path).split(separator: "\n").map(String.init)
        #expect(theirs.count == ours.count)
        #expect(outcome.records.count > 5000, "enough of them are good")
        #expect(outcome.problems.count > 5000, "enough of them are bad")
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for answer in theirs {
            let number = Int(answer.prefix { $0 != " " }) ?? 0
            if ours[number] != answer {
                Issue.record("\(String(decoding: lines[number - 1], as: UTF8.self)): \(ours[number] ?? "?"), \(answer)")
            }
        }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
}

/// Runs a program with a file as its input, and returns its output.
private func run(_ program: String, _ arguments: [String], input: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
}
