import Foundation
import Testing

/// `keyroll --version`, and where the commit in it comes from.
@Suite struct VersionTests {
    @Test func saysNumberAndCommit() throws {
        let outcome = try Child(Keyroll.binary, ["--version"], environment: [:]).wait()
        let line = try #require(
            outcome.text.wholeMatch(of: /keyroll (\d+\.\d+\.\d+)(?: \(([0-9a-f]{7,})(, modified)?\))?\n/))
        #expect(outcome.code == 0 && outcome.errors.isEmpty)
        // The number stands in one place, and the newest entry of the changelog is about it.
        let changes = try String(contentsOfFile: Python.package + "/CHANGELOG.md", encoding: .utf8)
        #expect(changes.hasPrefix("# Changelog\n\n## \(line.1)"))
        if FileManager.default.fileExists(atPath: Python.package + "/.git") { #expect(line.2 != nil) }
    }

    /// A checkout, an archive of it, and that archive unpacked in somebody else's checkout.
    @Test func theCommitIsThePackagesOwn() throws {
        let home = try ScratchHome(isMade: false)
        let package = home.folder + "/package"
        let script = "Plugins/BuildCommit/commit.sh"
        try FileManager.default.createDirectory(
            atPath: package + "/Plugins/BuildCommit", withIntermediateDirectories: true)
        for name in [script, "Plugins/BuildCommit/commit", ".gitattributes"] {
            try FileManager.default.copyItem(atPath: "\(Python.package)/\(name)", toPath: "\(package)/\(name)")
        }
        let git = ["git", "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"]
        func commit(in folder: String) throws -> String {
            for words in [["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "test"]] {
                let outcome = try Tool.attempt(git + words, in: folder)
                try #require(outcome.code == 0, "\(outcome.errors)")
            }
            return try Tool.run("git", "rev-parse", "--short=7", "HEAD", in: folder).lines[0]
        }
        func written(for package: String) throws -> String {
            try Tool.run("sh", "\(package)/\(script)", package, home.folder, in: "/")
            let text = try String(contentsOfFile: home.folder + "/BuildCommit.swift", encoding: .utf8)
            return String(try #require(text.firstMatch(of: /static let text = "(.*)"/)).1)
        }
        // No repository, and a file that no archive has filled in.
        #expect(try written(for: package) == "")
        let hash = try commit(in: package)
        #expect(try written(for: package) == hash)
        // Nothing is written where nothing changed, so that nothing is compiled.
        let file = home.folder + "/BuildCommit.swift"
        let before = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
        #expect(try written(for: package) == hash)
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date == before)
        #expect(try Tool.run("git", "status", "--porcelain", in: package).text == "")
        try "#".write(toFile: "\(package)/\(script).new", atomically: false, encoding: .utf8)
        try FileManager.default.removeItem(atPath: "\(package)/.gitattributes")
        #expect(try written(for: package) == "\(hash), modified")

        let others = home.folder + "/others"
        try FileManager.default.createDirectory(atPath: others + "/vendored", withIntermediateDirectories: true)
        try Tool.run("git", "archive", "-o", "\(others)/package.tar", "HEAD", in: package)
        try Tool.run("tar", "-xf", "package.tar", "-C", "vendored", in: others)
        #expect(try written(for: others + "/vendored").hasPrefix(hash))
        let other = try commit(in: others)
        #expect(try written(for: others + "/vendored").hasPrefix(hash) && other != hash)
    }
}
