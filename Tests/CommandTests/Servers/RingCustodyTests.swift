import Foundation
import TestServers
import Testing

/// Backups, a change of the root key and recoveries of a home whose ring is on a server.
@Suite struct RingCustodyTests {
    private let ring: RingHome
    private let secrets = Secrets(30)

    init() throws {
        ring = try RingHome()
        try ring.home.fill(secrets)
        try ring.keyroll("rotate", "--force")
    }

    /// A backup needs no server.
    @Test func aBackupIsAHomeOfFiles() throws {
        let copy = ring.home.folder + "/backup"
        try ring.keyroll("backup", copy, "--with-root")
        #expect(ring.exists(copy + "/keys.sqlite") && ring.exists(copy + "/keys-copy.sqlite"))
        try ring.database.drop()
        let restored = Keyroll(home: ring.home.folder + "/restored")
        try restored("restore", copy)
        #expect(try restored.secrets() == secrets)
        try restored("rotate", "--force")
        #expect(try restored.secrets() == secrets)
    }

    @Test func theRootKeyChanges() throws {
        let other = try ring.host(as: ring.login("app", ring.reader))
        try ring.keyroll("root", "change")
        try ring.home.expectContents(secrets)
        try ring.keyroll("rotate", "--force")
        try ring.home.expectContents(secrets)
        // A host that has the old one is refused, until it has the new one.
        let refused = try other.run(["list"])
        #expect(refused.code == 78)
        refused.expectRefusal("this is not the root key")
    }

    /// Root key lost, or the ring's rows, or the whole schema: the ring is made anew where it was.
    @Test(arguments: ["root key", "rows", "altered rows", "schema"])
    func whatWasLostComesBack(loss: String) throws {
        switch loss {
        case "root key": try ring.home.remove("root.key")
        case "rows": try ring.database.run("DELETE FROM keyroll_ring.ring; DELETE FROM keyroll_ring.ring_copy")
        case "altered rows": try ring.database.run("UPDATE keyroll_ring.ring SET mac = ''")
        default: try ring.database.run("DROP SCHEMA keyroll_ring CASCADE")
        }
        #expect(try ring.keyroll.run(["list"]).code != 0)
        try ring.keyroll("recover", "--key", ring.home.recoveryKey)
        try ring.home.expectContents(secrets)
        try ring.keyroll("rotate", "--force")
        try ring.home.expectContents(secrets)
        try ring.home.expectBundlesWhole()
        let aside = try ring.database.run("SELECT 1 FROM keyroll_ring.ring_aside WHERE reason = 'replaced'")
        #expect(aside.count == (["root key", "altered rows"].contains(loss) ? 2 : 0))
        #expect(try ring.keyroll.run(["recover", "--key", ring.home.recoveryKey]).code == 73)
    }

    /// Who may not replace the ring is told before anything changes.
    @Test func onlyOwnersRecover() throws {
        try ring.home.remove("root.key")
        try ring.database.run("REVOKE \(ring.owner) FROM \(ring.login); GRANT \(ring.operator) TO \(ring.login)")
        let files = try ring.home.files()
        let rows = try ring.rows()
        let refused = try ring.keyroll.run(["recover", "--key", ring.home.recoveryKey])
        #expect(refused.code == 77)
        refused.expectRefusal("GRANT \(ring.owner) TO \(ring.login)")
        #expect(try ring.rows() == rows)
        #expect(try ring.home.files().filter { $0.key != "job.lock" } == files.filter { $0.key != "job.lock" })
        try ring.database.run("GRANT \(ring.owner) TO \(ring.login)")
        try ring.keyroll("recover", "--key", ring.home.recoveryKey)
        try ring.home.expectContents(secrets)
    }
}
