import Foundation
import Testing

/// A home in a folder of its own, which goes away with the test.
final class ScratchHome: Sendable {
    /// The folder around the home, for a test's other files.
    let folder: String
    let keyroll: Keyroll

    /// The home.
    var path: String { keyroll.home }

    /// - Parameters:
    ///   - parent: where the folder is made.
    ///   - isMade: whether `keyroll init` is run.
    init(in parent: String = "/tmp", isMade: Bool = true) throws {
        folder = "\(parent)/keyroll-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        keyroll = Keyroll(home: folder + "/home")
        if isMade { try keyroll("init") }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The home's file of this name.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file beside the home.
    @discardableResult
    func write(_ name: String, _ content: Data) throws -> String {
        let file = folder + "/" + name
        try content.write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    /// Imports these secrets.
    func fill(_ secrets: Secrets, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = try write("fill-\(UUID().uuidString).jsonl", secrets.jsonLines())
        try keyroll("import", file, sourceLocation: sourceLocation)
    }

    /// `verify` opens this many secrets, and no other is there.
    func expectAllOpen(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let report: Report = try keyroll("verify", "--json", sourceLocation: sourceLocation).decoded()
        #expect(report.addsUp, sourceLocation: sourceLocation)
        #expect(report.scanned == count && report.current == count, "\(report)", sourceLocation: sourceLocation)
    }

    /// The home holds exactly these secrets, and each opens.
    func expectContents(_ secrets: Secrets, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectAllOpen(secrets.plaintexts.count, sourceLocation: sourceLocation)
        let export = try keyroll("export", "--format", "jsonl", sourceLocation: sourceLocation)
        let found = try Secrets(jsonLines: export)
        #expect(found == secrets, "plaintexts differ", sourceLocation: sourceLocation)
    }

    /// What `status` counts; it may ask for attention.
    func census() throws -> Census { try keyroll.run(["status", "--json"]).decoded() }

    /// Waits until a job is at work: it has the run lock, and listens to signals.
    func waitUntilAtWork(_ child: Child, sourceLocation: SourceLocation = #_sourceLocation) throws {
        while true {
            let owner = (try? String(contentsOfFile: file("job.lock"), encoding: .utf8)) ?? ""
            if owner.contains("process \(child.pid) ") { return }
            try #require(child.isRunning, "it ended too early: \(child.wait())", sourceLocation: sourceLocation)
            usleep(1000)
        }
    }

    /// Waits until a rotation has moved some secrets to this generation, and not all of them.
    func waitUntilHalfMoved(
        _ child: Child, to generation: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        while true {
            let census = try census()
            let moved = census.counts[generation] ?? 0
            if moved > 0, moved < census.secrets { return }
            try #require(child.isRunning, "it ended too early: \(child.wait())", sourceLocation: sourceLocation)
        }
    }

    /// Every file of the home with its bytes. SQLite's shared memory holds no data of its own.
    func files() throws -> [String: Data] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: path)
        var found: [String: Data] = [:]
        for name in names where !name.hasSuffix("-shm") {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: file(name), isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            let content = try Data(contentsOf: URL(fileURLWithPath: file(name)))
            // An empty write-ahead log is as good as none, and so is a lock that nobody holds.
            if content.isEmpty, name.hasSuffix("-wal") || name.hasSuffix(".lock") { continue }
            found[name] = content
        }
        return found
    }

    func setMode(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: name.isEmpty ? path : file(name))
    }

    /// A copy of the home's files with these names, as a backup makes it.
    func copy(_ names: [String], to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in names {
            let target = folder + "/" + name
            if FileManager.default.fileExists(atPath: target) { try FileManager.default.removeItem(atPath: target) }
            try FileManager.default.copyItem(atPath: file(name), toPath: target)
        }
    }
}
