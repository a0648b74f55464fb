import Foundation
import Testing

/// A folder tree goes in, and comes back byte for byte.
@Suite struct FolderImportTests {
    /// A real tree of this machine, not too large.
    static let tree: String? = {
        let candidates = ["/usr/share/ca-certificates", "/usr/share/doc", "/usr/share/zoneinfo", "/usr/include"]
        return candidates.first { candidate in
            let found = try? FileManager.default.subpathsOfDirectory(atPath: candidate)
            return (found?.count ?? 0) > 50
        }
    }()

    private struct Contents {
        var files = Secrets()
        var links: [String] = []

        init(_ root: String) throws {
            for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
                let attributes = try FileManager.default.attributesOfItem(atPath: root + "/" + path)
                switch attributes[.type] as? FileAttributeType {
                case .typeRegular:
                    files.plaintexts[path] = try Data(contentsOf: URL(fileURLWithPath: root + "/" + path))
                case .typeSymbolicLink: links.append(path)
                default: break
                }
            }
        }
    }

    @Test func realTreeComesBackAfterTwoRotations() throws {
        let tree = try #require(Self.tree, "this machine has no tree of files")
        let contents = try Contents(tree)
        #expect(contents.files.plaintexts.count > 50)
        let home = try ScratchHome()
        let imported = try home.keyroll("import", tree, exits: contents.links.isEmpty ? 0 : 65)
        for link in contents.links.prefix(100) { imported.expectErrors([link]) }
        for generation in 2...3 {
            try home.keyroll("rotate", "--force")
            #expect(try home.census().counts == [generation: contents.files.plaintexts.count])
        }
        try home.expectContents(contents.files)
        let (name, plaintext) = try #require(contents.files.plaintexts.randomElement())
        #expect(try home.keyroll("get", "--", name).output == plaintext)
    }

    @Test func namesAreThePathsBelow() throws {
        let home = try ScratchHome()
        let root = home.folder + "/tree"
        let files = ["top", "a/b/c/deep", "a/ü ber", "a/b/empty", ".hidden", "a/-x"]
        for file in files {
            let path = root + "/" + file
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(file == "a/b/empty" ? "" : file).write(to: URL(fileURLWithPath: path))
        }
        try home.keyroll("import", root)
        var expected = Secrets(Dictionary(uniqueKeysWithValues: files.map { ($0, Data($0.utf8)) }))
        expected.plaintexts["a/b/empty"] = Data()
        try home.expectContents(expected)
        // One file alone is named by its last part; again is no change.
        try home.keyroll("import", root + "/a/b/c/deep", "--format", "files")
        #expect(try home.keyroll("get", "deep").text == "a/b/c/deep")
        let again = try home.keyroll("import", root + "/", "--json").decoded(Report.self)
        #expect(again.imported == .init(unchanged: 6))
    }

    @Test func linksAndPipesAreNamedAndLeftOut() throws {
        let home = try ScratchHome()
        let root = home.folder + "/tree"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        try Data("plaintext".utf8).write(to: URL(fileURLWithPath: root + "/file"))
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "/etc/hostname")
        try FileManager.default.createSymbolicLink(atPath: root + "/loop", withDestinationPath: ".")
        #expect(mkfifo(root + "/pipe", 0o600) == 0)
        let outcome = try home.keyroll("import", root, exits: 65)
        outcome.expectErrors(["tree/link", "tree/loop", "tree/pipe"])
        #expect(outcome.errorLines.count == 3)
        try home.expectContents(Secrets(["file": Data("plaintext".utf8)]))
    }
}

extension Data {
    fileprivate init(_ text: String) { self = Data(text.utf8) }
}
