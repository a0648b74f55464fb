import Cryptography
import Files
import Foundation
import KeyManagement
import Testing

@Suite struct KeyFileTests {
    private static let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
    private static let prefix = "keyroll-root-key-1 "

    private let folder: TemporaryFolder
    private let provider: KeyFileProvider

    init() throws {
        folder = try TemporaryFolder()
        provider = KeyFileProvider(path: folder.path + "/root.key")
    }

    @Test func aNewFileIsPrivateAndReadBack() throws {
        try provider.create()
        let text = String(decoding: try folder.bytes("root.key"), as: UTF8.self)
        #expect(text.hasPrefix(Self.prefix) && text.hasSuffix("\n") && text.utf8.count == 84)
        let attributes = try FileManager.default.attributesOfItem(atPath: provider.place)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let key = try provider.rootKey([]).withUnsafeBytes { hexadecimal($0) }
        #expect(text == Self.prefix + key + "\n")
        #expect(provider.newParameters().isEmpty)
        // Nothing but the file is left behind, and it is not written over.
        #expect(try folder.names() == ["root.key"])
        #expect(throws: FileError.self) { try provider.create() }
        #expect(try folder.bytes("root.key") == Array(text.utf8))
    }

    @Test func twoFilesHaveTwoKeys() throws {
        let keys = try (0..<20).map { number in
            let provider = KeyFileProvider(path: folder.path + "/\(number)")
            try provider.create()
            return try provider.rootKey([]).withUnsafeBytes { Array($0) }
        }
        #expect(Set(keys).count == 20)
    }

    /// With its line end and without, digits of both cases: it may have been typed in again.
    @Test(arguments: [digits + "\n", digits, digits.lowercased(), digits.uppercased()])
    func accepted(text: String) throws {
        try folder.write("root.key", Array((Self.prefix + text).utf8))
        #expect(try provider.rootKey([]).withUnsafeBytes { Array($0) } == (0..<32).map { UInt8($0) })
    }

    /// Whole files.
    static let notFiles: [String] = [
        "", "\n", digits, digits + "\n", " " + prefix + digits, prefix + digits + "\n" + prefix + digits + "\n",
        "keyroll-root-key-2 " + digits, "Keyroll-root-key-1 " + digits, "keyroll-root-key-1\t" + digits,
        String(repeating: "x", count: 1 << 20),
    ]

    /// What stands after a right beginning.
    static let notDigits: [String] = [
        "", "\n", String(digits.dropLast()), digits.dropLast() + "\n", digits.dropLast(2) + "\n", digits + "00",
        digits + "0", digits + " ", digits + "x", digits + "\n\n", digits + "\r\n", "g" + digits.dropFirst(),
        " " + digits.dropFirst(), digits.dropLast() + "\u{0}", digits.replacingOccurrences(of: "0", with: "O"),
    ]

    @Test(arguments: notFiles + notDigits.map { prefix + $0 })
    func malformed(text: String) throws {
        try folder.write("root.key", Array(text.utf8))
        #expect(code { _ = try provider.rootKey([]) } == .rootKeyMalformed)
    }

    @Test func missing() throws {
        #expect(code { _ = try provider.rootKey([]) } == .rootKeyUnavailable)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o606, 0o644, 0o610, 0o777])
    func readableByOthersIsRefused(mode: Int) throws {
        try folder.write("root.key", Array((Self.prefix + Self.digits).utf8))
        chmod(provider.place, mode_t(mode))
        #expect(fileCode { _ = try provider.rootKey([]) } == .unsafe)
        chmod(provider.place, 0o600)
        _ = try provider.rootKey([])
    }

    @Test func linksAndFoldersAreRefused() throws {
        try folder.write("root.key", Array((Self.prefix + Self.digits).utf8))
        symlink(provider.place, folder.path + "/link")
        mkdir(folder.path + "/folder", 0o700)
        for name in ["link", "folder"] {
            let other = KeyFileProvider(path: folder.path + "/" + name)
            #expect(fileCode { _ = try other.rootKey([]) } == .unsafe)
        }
    }

    private func fileCode(of body: () throws -> Void) -> FileError.Code? {
        do { try body() } catch { return (error as? FileError)?.code }
        return nil
    }
}
