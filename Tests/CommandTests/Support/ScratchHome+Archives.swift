import Foundation
import Testing

/// Homes with recovery keys.
extension ScratchHome {
    /// The file of the recovery key.
    var recoveryKey: String { folder + "/recovery.pem" }
    /// The certificate to pin.
    var signer: String { file("identity/signer.pem") }

    /// A home whose recovery key lies beside it, and which retires a generation as soon as nothing needs it.
    static func withRecoveryKey(
        in parent: String = "/tmp", group: String = "default", _ options: String...
    ) throws -> ScratchHome {
        let home = try ScratchHome(in: parent, isMade: false)
        let made = try home.keyroll.run(["init", "--group", group, "--recovery-key", home.recoveryKey] + options)
        try #require(made.code == 0, "\(made.errors)")
        let configuration = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
            .replacing(/soakTime: \w+/, with: "soakTime: 0s")
            .replacing(/keepDeactivated: \w+/, with: "keepDeactivated: 0")
        try configuration.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        return home
    }

    /// The path of a generation's bundle.
    func bundle(_ number: Int, group: String = "default") -> String {
        file("bundles/\(group)-g\(number).keyroll.tar.zst")
    }

    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    /// The bundles' names and bytes, and whatever else lies beside them.
    func bundles() throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: file("bundles")) {
            found[name] = try bytes(file("bundles/" + name))
        }
        return found
    }

    /// A home that is a copy of this one.
    func copied() throws -> ScratchHome {
        let copy = try ScratchHome(isMade: false)
        try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        return copy
    }
}
