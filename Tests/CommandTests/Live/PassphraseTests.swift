import Foundation
import Glibc
import Testing

/// Homes whose root key comes from a passphrase.
@Suite struct PassphraseTests {
    private static let passphrase = "correct horse battery staple ü"
    private static let descriptor: [Int32: Data] = [9: Data("\(passphrase)\n".utf8)]
    private let home: ScratchHome

    init() throws {
        home = try ScratchHome(isMade: false)
        try home.keyroll("init", "--passphrase", "--passphrase-fd", "9", descriptors: Self.descriptor)
        try home.keyroll(
            "put", "name", "--passphrase-fd", "9", input: Data("plaintext".utf8), descriptors: Self.descriptor)
    }

    @Test func descriptorOpensIt() throws {
        #expect(!FileManager.default.fileExists(atPath: home.file("root.key")))
        try home.keyroll("rotate", "--force", "--passphrase-fd", "9", descriptors: Self.descriptor)
        // Without the line's end it is the same, and any descriptor will do.
        let get = try home.keyroll(
            "get", "name", "--passphrase-fd", "5", descriptors: [5: Data(Self.passphrase.utf8)])
        #expect(get.text == "plaintext")
        try home.keyroll("verify", "--passphrase-fd", "9", descriptors: Self.descriptor)
        try home.keyroll("doctor", "--passphrase-fd", "9", descriptors: Self.descriptor)
    }

    @Test func plaintextAndPassphraseCanBothComeFromStandardInput() throws {
        let input = Data("\(Self.passphrase)\nthe plaintext".utf8)
        try home.keyroll("put", "both", "--passphrase-fd", "0", input: input)
        let get = try home.keyroll("get", "both", "--passphrase-fd", "9", descriptors: Self.descriptor)
        #expect(get.text == "the plaintext")
    }

    @Test(arguments: ["wrong", "correct horse battery staple u", "correct horse battery staple ü "])
    func wrongPassphraseIs78(_ wrong: String) throws {
        let before = try home.files()
        for command in [["get", "name"], ["rotate", "--force"], ["put", "new"]] {
            let outcome = try home.keyroll.run(
                command + ["--passphrase-fd", "9"], descriptors: [9: Data("\(wrong)\n".utf8)])
            #expect(outcome.code == 78)
            outcome.expectRefusal("passphrase", "not the root key")
            #expect(!outcome.errors.contains(wrong) || wrong == "wrong")
        }
        #expect(try home.files() == before)
    }

    @Test func noneAndNoTerminalIs69() throws {
        let before = try home.files()
        // A variable is no way to give one.
        var keyroll = home.keyroll
        keyroll.variables = ["KEYROLL_PASSPHRASE": Self.passphrase, "PASSPHRASE": Self.passphrase]
        for command in [["get", "name"], ["rotate", "--force"], ["verify"]] {
            let outcome = try keyroll.run(command, input: Data("\(Self.passphrase)\n".utf8))
            #expect(outcome.code == 69)
            outcome.expectRefusal("passphrase", "--passphrase-fd")
        }
        try keyroll("get", "name", "--passphrase-fd", "9", exits: 69).expectRefusal("descriptor 9")
        let empty = try keyroll("get", "name", "--passphrase-fd", "9", descriptors: [9: Data("\n".utf8)], exits: 69)
        empty.expectRefusal("empty")
        let long = Data(repeating: 0x61, count: 4096)
        try keyroll("get", "name", "--passphrase-fd", "9", descriptors: [9: long], exits: 69).expectRefusal("longer")
        #expect(try home.files() == before)
    }

    @Test func initWithoutAPassphraseLeavesNothing() throws {
        let other = Keyroll(home: home.folder + "/other")
        try other("init", "--passphrase", exits: 69).expectRefusal("passphrase")
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.folder) == ["home"])
    }

    @Test func passphraseIsInNoArgumentAndNoVariable() throws {
        let refused = try home.keyroll.run(["get", "name", "--passphrase-fd", Self.passphrase])
        #expect(refused.code == 64, "it takes a number only")
        let init2 = try Keyroll(home: home.folder + "/b").run(["init", "--passphrase=\(Self.passphrase)"])
        #expect(init2.code == 64, "it takes no value")

        let file = home.folder + "/in.jsonl"
        try Secrets.accounts(4000).write(to: URL(fileURLWithPath: file))
        try home.keyroll("import", file, "--passphrase-fd", "9", descriptors: Self.descriptor)
        let child = try home.keyroll.start(
            ["rotate", "--force", "--max-rate", "2000", "--passphrase-fd", "9"], descriptors: Self.descriptor)
        try home.waitUntilAtWork(child)
        let secret = Data(Self.passphrase.utf8)
        for name in ["cmdline", "environ"] {
            let content = FileManager.default.contents(atPath: "/proc/\(child.pid)/\(name)") ?? Data()
            #expect(content.range(of: secret) == nil)
            if name == "cmdline" { #expect(content.range(of: Data("--passphrase-fd".utf8)) != nil) }
        }
        #expect(child.wait().code == 0)
        for (name, content) in try home.files() { #expect(content.range(of: secret) == nil, "\(name)") }
    }
}
