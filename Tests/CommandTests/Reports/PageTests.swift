import Foundation
import Testing

/// `keyroll report --html`, looked at in a real browser; screenshots stay in `.build/artefacts/pages`.
@Suite struct PageTests {
    private static let pictures = Python.package + "/.build/artefacts/pages"

    /// Writes the page and has it checked against `status --json`.
    private func check(
        _ home: ScratchHome, _ name: String, shows names: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let page = "\(home.folder)/\(name).html"
        try home.keyroll("report", "--html", page, sourceLocation: sourceLocation)
        let status = try home.write("status.json", home.keyroll.run(["status", "--json"]).output)
        let outcome = try Python.attempt("check_page.py", [page, status, Self.pictures] + names)
        #expect(outcome.code == 0, "\(outcome.errors.suffix(1500))", sourceLocation: sourceLocation)
    }

    @Test func anEmptyHome() throws {
        try check(ScratchHome(), "empty")
    }

    @Test func runsAndArchivedGenerations() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(3000))
        for _ in 0..<3 { try home.keyroll("rotate", "--force") }
        try home.keyroll("verify")
        try check(home, "runs", shows: ["deactivated, archived", "limited by"])
    }

    /// Names that would be markup, end a line, turn the direction of writing, or fill a page.
    @Test func hostileNames() throws {
        let home = try ScratchHome()
        let names = [
            "<script>alert(1)</script>", "\"quoted\" & 'single'", "two\nlines", "abc\u{202E}gpj.exe", "\u{0}nul",
            String(repeating: "long-", count: 204), "شركة/كلمة", "</td></table>",
        ]
        let plain = Secrets(Dictionary(uniqueKeysWithValues: names.map { ($0, Data("x".utf8)) }))
        try home.fill(plain)
        for name in names { try Python.damage(home, "flip-key", name) }
        try home.keyroll("rotate", "--force", exits: 65)
        try check(
            home, "hostile",
            shows: [
                "<script>alert(1)</script>", "\"quoted\" & 'single'", "two\\u{a}lines", "abc\\u{202e}gpj.exe",
                "\\u{0}nul", "… (1020 bytes)", "شركة/كلمة", "</td></table>", "integrityCheckFailed",
            ])
        let text = try String(contentsOfFile: home.folder + "/hostile.html", encoding: .utf8)
        #expect(!text.unicodeScalars.contains("\u{202E}") && !text.contains("<script"))
        let tooLong = String(repeating: "x", count: 4096)
        try home.keyroll("put", tooLong, input: Data("x".utf8), exits: 64).expectRefusal("name")
    }

    /// A home that was recovered to read an old copy, and all of whose generations were destroyed since.
    @Test func noGenerationIsLeft() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(5))
        try home.keyroll("rotate", "--force")
        let reader = Keyroll(home: home.folder + "/reader")
        try reader("recover", "--key", home.recoveryKey, "--bundle", home.bundle(1))
        try reader("generation", "destroy", "1", "--reason", "it was read")
        try reader("generation", "destroy", "1", "--confirm", "1")
        let page = home.folder + "/none-left.html"
        try reader("report", "--html", page)
        let status = try home.write("status.json", reader.run(["status", "--json"]).output)
        let outcome = try Python.attempt("check_page.py", [page, status, Self.pictures, "destroyed", "none"])
        #expect(outcome.code == 0, "\(outcome.errors.suffix(1500))")
    }

    @Test func whereItGoes() throws {
        let home = try ScratchHome()
        let printed = try home.keyroll("report", "--html", "-").text
        #expect(printed.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">") && printed.hasSuffix("</html>"))
        try home.keyroll("report", "--html", "/nonexistent/page.html", exits: 69).expectRefusal("/nonexistent")
        try home.keyroll("report", "--html", "x.html", "--json", exits: 64)
        let page = home.folder + "/page.html"
        try home.keyroll("report", "--html", page)
        let mode = try FileManager.default.attributesOfItem(atPath: page)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
