import Foundation
import Keyroll

// An application as the harness in Tests/faults drives it: it opens the home once, and carries out a line at a time.
//
//     put NAME BASE64 | new NAME BASE64 | get NAME | rm NAME   ->   ok [BASE64] | no MESSAGE
//
// It answers only once the library has returned, so that what was answered with "ok" has to be there ever after.
let group = try KeyGroup.open(home: CommandLine.arguments[1])

func carryOut(_ words: [Substring]) throws -> String {
    let name = String(words[1])
    switch words[0] {
    case "put", "new":
        let plaintext = words.count > 2 ? [UInt8](Data(base64Encoded: String(words[2])) ?? Data()) : []
        try group.put(name, plaintext, replacing: words[0] == "put")
        return "ok"
    case "get": return try group.get(name) { "ok " + Data($0).base64EncodedString() }
    case "rm":
        try group.remove(name)
        return "ok"
    default: return "no such word"
    }
}

// Unbuffered: whoever asks waits for the line.
func answer(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

answer("ready")
while let line = readLine() {
    do { answer(try carryOut(line.split(separator: " "))) } catch { answer("no \(error)") }
}
