import Foundation
import Glibc
import Testing

/// kill -9 before every step of the commands that keep, move and destroy keys: the old state or the new one is there,
/// and the same command run again finishes.
///
/// So that they take no minutes, each run takes some of the steps, others each time; all of them with
/// `KEYROLL_TEST_EVERY_STEP=1`.
@Suite struct CommandCrashTests {
    /// Generation 1 is archived, 2 is active.
    private func rolledHome() throws -> (ScratchHome, Secrets) {
        let home = try ScratchHome.quick()
        let secrets = Secrets(50)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        #expect(try home.census().generations.map(\.archived) == [true, false])
        return (home, secrets)
    }

    /// Kills a command before some of its steps, each time in a new copy of the home.
    private func forEachStep(
        of arguments: [String], in home: ScratchHome, _ check: (String) throws -> Void
    ) throws {
        let steps = try KillSwitch.steps(home.twin("counted"), arguments)
        #expect(steps > 3, "keyroll \(arguments) has \(steps) steps")
        // What the counted run made beside the home.
        for path in arguments.filter({ $0.hasPrefix(home.folder) && $0 != home.recoveryKey }) {
            try FileManager.default.removeItem(atPath: path)
        }
        let template = home.folder + "/template"
        try FileManager.default.moveItem(atPath: home.path, toPath: template)
        for step in KillSwitch.some(of: steps, for: arguments) {
            try? FileManager.default.removeItem(atPath: home.path)
            try FileManager.default.copyItem(atPath: template, toPath: home.path)
            #expect(try KillSwitch.run(home.keyroll, arguments, before: step))
            try check("killed before step \(step) of \(steps)")
        }
    }

    @Test func destroy() throws {
        let (home, secrets) = try rolledHome()
        try home.keyroll("generation", "destroy", "1")
        let command = ["generation", "destroy", "1", "--confirm", "1"]
        try forEachStep(of: command, in: home) { what in
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
            let state = try home.census().generations[0].state
            #expect(state == "deactivated" || state == "destroyed", "\(what): \(state)")
            if state == "deactivated" { #expect(FileManager.default.fileExists(atPath: home.bundle(1)), "\(what)") }
            #expect(try home.keyroll.run(command).code == 0, "\(what)")
            #expect(try home.census().generations[0].state == "destroyed", "\(what)")
            #expect(!FileManager.default.fileExists(atPath: home.bundle(1)), "\(what)")
            try home.expectBundlesWhole()
            try home.keyroll("rotate")
        }
    }

    @Test func backup() throws {
        let (home, secrets) = try rolledHome()
        let target = home.folder + "/backup"
        let restored = Keyroll(home: home.folder + "/restored")
        try forEachStep(of: ["backup", target, "--with-root"], in: home) { what in
            defer {
                for path in [target, restored.home] { try? FileManager.default.removeItem(atPath: path) }
            }
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
            let isThere = FileManager.default.fileExists(atPath: target)
            let isRegistered = try home.keyroll("backup", "list").text.contains(target)
            // There is no copy that keyroll does not know of.
            #expect(!isThere || isRegistered, "\(what)")
            if !isThere { try home.keyroll("backup", target, "--with-root") }
            try restored("restore", target)
            #expect(try restored.secrets() == secrets, "\(what)")
        }
    }

    @Test func rootChange() throws {
        let (home, secrets) = try rolledHome()
        try forEachStep(of: ["root", "change"], in: home) { what in
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
            #expect(try home.keyroll.run(["root", "change"]).code == 0, "\(what)")
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
            #expect(!home.has("keyroll.yaml.next"), "\(what)")
            // Nothing is left under the root key before, and no draft of a key.
            let left = try FileManager.default.contentsOfDirectory(atPath: home.path).filter {
                $0.contains(".damaged-") || $0.contains(".new-")
            }
            #expect(left.isEmpty, "\(what): \(left)")
            try home.remove("root.key")
            try home.expectBundlesWhole()
            try home.keyroll("rotate", "--force")
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
        }
    }

    @Test(arguments: [["root.key"], ["keys.sqlite", "keys-copy.sqlite"]]) func recover(_ lost: [String]) throws {
        let (home, secrets) = try rolledHome()
        for name in lost { try home.remove(name) }
        let command = ["recover", "--key", home.recoveryKey]
        try forEachStep(of: command, in: home) { what in
            // Only a recovery that was through with everything says that there is nothing to recover.
            var again = try home.keyroll.run(command)
            if again.code == 77, again.errors.contains("run it again with --replace-ring") {
                // The new root key lies beside the old ring already.
                again = try home.keyroll.run(command + ["--replace-ring"])
            }
            #expect(again.code == 0 || again.code == 73, "\(what): \(again.errors)")
            #expect(try home.keyroll.secrets() == secrets, "\(what)")
            try home.expectBundlesWhole()
            let bundles = try home.knownBundles()
            #expect(bundles.keys.sorted() == [1, 2], "\(what): bundles are not known")
            for bundle in bundles.values { try home.keyroll("archive", "verify", bundle, "--key", home.recoveryKey) }
            let recipients = try home.keyroll("archive", "recipient", "list").text
            #expect(recipients.contains("\tproven "), "\(what): \(recipients)")
            let left = try FileManager.default.contentsOfDirectory(atPath: home.path).filter { $0.contains(".new-") }
            #expect(left.isEmpty || again.code == 73, "\(what): \(left)")
            try home.keyroll("rotate", "--force")
        }
    }
}
