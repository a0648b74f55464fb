import Foundation
import Testing

import Interchange

@Suite struct FileTreeTests {
    private func importTree(
        _ folder: TemporaryFolder, limits: ImportLimits = .init(), capacity: Int = 1 << 16
    ) throws -> Outcome {
        let source = try RecordSource(paths: [folder.path], format: nil, wholeRow: false, limits: limits)
        return try readAll(source, capacity: capacity)
    }

    @Test func namesArePathsInTheOrderOfTheirBytes() throws {
        let folder = try TemporaryFolder()
        let names =
            ["a", "a-b", "a.d/x", "a/b/c", "a/z", "b", "b/c"].filter { $0 != "a" && $0 != "b" }
            + ["B", "ä", ".hidden", "a0", "empty", "z/y/x/w"]
        for name in names.shuffled() { try folder.write(name, name == "empty" ? [] : Array("<\(name)>".utf8)) }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/no files/inside", withIntermediateDirectories: true)
        let outcome = try importTree(folder)
        #expect(outcome.names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(outcome.problems.isEmpty)
        for record in outcome.records {
            #expect(record.text == (record.name == "empty" ? "" : "<\(record.name)>"))
            #expect(record.line == 0)
            #expect(record.contentType == .bytes)
        }
        // A batch for each file, and the same again.
        #expect(try importTree(folder, capacity: 1) == outcome)
    }

    @Test func aSingleFileHasItsBaseName() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("some/where/key.pem", [0, 255, 10])
        let outcome = try readAll(RecordSource(paths: [path], format: .files, wholeRow: false))
        #expect(outcome.records == [Imported(name: "key.pem", secret: [0, 255, 10], line: 0, contentType: .bytes)])
    }

    @Test func whatIsNoRegularFileIsReportedByName() throws {
        let folder = try TemporaryFolder()
        try folder.write("folder/good", "g".utf8)
        #expect(symlink("good", folder.path + "/folder/link") == 0)
        #expect(symlink("nowhere", folder.path + "/folder/broken") == 0)
        #expect(symlink("..", folder.path + "/folder/loop") == 0)
        #expect(mkfifo(folder.path + "/folder/pipe", 0o600) == 0)
        #expect(makeSocket(folder.path + "/s"))
        let outcome = try importTree(folder)
        #expect(outcome.names == ["folder/good"])
        #expect(
            outcome.problems.map(\.description) == [
                "\(folder.path)/folder/broken: a symbolic link: not followed",
                "\(folder.path)/folder/link: a symbolic link: not followed",
                "\(folder.path)/folder/loop: a symbolic link: not followed",
                "\(folder.path)/folder/pipe: not a regular file", "\(folder.path)/s: not a regular file",
            ])
    }

    @Test func devicesAreNotOpened() throws {
        let source = try RecordSource(paths: ["/dev"], format: nil, wholeRow: false)
        let outcome = try readAll(source)
        #expect(!outcome.names.contains("null") && !outcome.names.contains("zero"))
        #expect(outcome.problems.contains { $0.file == "/dev/zero" && $0.message == "not a regular file" })
    }

    @Test func namesThatAreNoNamesAreReported() throws {
        let folder = try TemporaryFolder()
        for bytes in [[0x61, 0xFF], [0x62, 0x0A, 0x63], [0x64, 0xC2, 0x9B]] as [[UInt8]] {
            let path = Array(folder.path.utf8) + [UInt8(ascii: "/")] + bytes + [0]
            let descriptor = path.withUnsafeBufferPointer { buffer in
                buffer.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o600) }
            }
            #expect(descriptor >= 0)
            close(descriptor)
        }
        let long = Array(repeating: String(repeating: "x", count: 200), count: 5).joined(separator: "/")
        try folder.write("\(long)/\(String(repeating: "y", count: 19))", [])
        try folder.write("\(long)/\(String(repeating: "z", count: 20))", [])
        let outcome = try importTree(folder)
        #expect(outcome.names.map(\.utf8.count) == [3, 3, 1024])
        let messages = outcome.problems.map { ($0.file.dropFirst(folder.path.utf8.count + 1), $0.message) }
        #expect(messages.count == 2)
        #expect(messages.contains { $0 == "a\\xff" && $1 == "the name is not valid utf-8" })
        #expect(messages.contains { $0.hasSuffix("zzz") && $1 == "the name is longer than 1024 bytes" })
    }

    @Test func messagesShowControlCharactersInNames() throws {
        let folder = try TemporaryFolder()
        #expect(symlink("x", folder.path + "/b\nc\u{1B}[31m\u{9B}é") == 0)
        let outcome = try importTree(folder)
        #expect(outcome.problems.map(\.file) == [folder.path + "/b\\x0ac\\x1b[31m\\xc2\\x9bé"])
    }

    @Test func largeFilesAreReported() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", [1, 2, 3, 4, 5])
        try folder.write("b", [1, 2, 3, 4, 5, 6])
        try folder.write("c", [1])
        let outcome = try importTree(folder, limits: ImportLimits(maximumSecret: 5))
        #expect(outcome.names == ["a", "c"])
        #expect(outcome.problems.map(\.message) == ["larger than 5 bytes"])
    }

    @Test func theLargestFileFits() throws {
        let folder = try TemporaryFolder()
        for (name, size) in [("max", 64 << 20), ("over", 64 << 20 + 1)] {
            #expect(truncate(try folder.write(name, []), size) == 0)
        }
        try folder.write("small", [1])
        let source = try RecordSource(paths: [folder.path], format: nil, wholeRow: false)
        let batch = try RecordBatch(capacity: 100)
        #expect(try source.read(into: batch))
        #expect(batch.records.map(\.secret.count) == [64 << 20])
        batch.reset()
        #expect(batch.capacity == 100, "what was grown for it is given back")
        #expect(try source.read(into: batch))
        #expect(batch.records.map(\.secret.count) == [1])
        #expect(source.takeProblems().map(\.message) == ["larger than 67108864 bytes"])
    }

    @Test func unreadableFilesAndFoldersAreReported() throws {
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        chmod(try folder.write("a", [1]), 0o644)
        chmod(try folder.write("closed", [1]), 0)
        try folder.write("closed folder/x", [1])
        chmod(folder.path + "/closed folder", 0)
        chmod(try folder.write("z", [1]), 0o644)
        let source = try RecordSource(paths: [folder.path], format: nil, wholeRow: false)
        let outcome = try withoutPrivileges { try readAll(source) }
        #expect(outcome.names == ["a", "z"])
        #expect(
            outcome.problems.map(\.description) == [
                "\(folder.path)/closed: cannot be opened: permission denied",
                "\(folder.path)/closed folder: the folder cannot be read: permission denied",
            ])
        for path in ["closed", "closed folder"] {
            let error = #expect(throws: ImportError.self) {
                try withoutPrivileges {
                    _ = try RecordSource(paths: [folder.path + "/" + path], format: .files, wholeRow: false)
                }
            }
            #expect(error?.code == .unreadable)
        }
        chmod(folder.path + "/closed folder", 0o700)
    }

    /// The batch is full after the first file; the second is open then, and changes before it is read.
    @Test(arguments: [0, 2, 3, 4])
    func aFileThatChangesIsReported(_ size: Int) throws {
        let folder = try TemporaryFolder()
        try folder.write("a", [1])
        let path = try folder.write("b", [1, 2, 3])
        try folder.write("c", [1])
        let source = try RecordSource(paths: [folder.path], format: nil, wholeRow: false)
        let batch = try RecordBatch(capacity: 3)
        #expect(try source.read(into: batch))
        #expect(batch.records.count == 1)
        batch.reset()
        // File times come from a clock that ticks every few milliseconds.
        usleep(20_000)
        let descriptor = open(path, O_WRONLY | O_TRUNC)
        #expect(write(descriptor, [4, 5, 6, 7] as [UInt8], size) == size)
        close(descriptor)
        let rest = try readAll(source)
        #expect(rest.names == ["c"])
        #expect(rest.problems.map(\.message) == ["changed while it was read: import it again"])
    }

    /// The folder is listed, and then somebody puts links where a file and a folder were.
    @Test func linksThatComeLaterAreNotFollowed() throws {
        let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
        for name in ["a", "b", "c", "d/x", "e"] { try folder.write(name, Array(name.utf8)) }
        let source = try RecordSource(paths: [folder.path], format: nil, wholeRow: false)
        let batch = try RecordBatch(capacity: 3)
        #expect(try source.read(into: batch))
        try outside.write("x", "outside".utf8)
        for (name, target) in [("c", "/x"), ("d", "")] {
            try FileManager.default.removeItem(atPath: folder.path + "/" + name)
            #expect(symlink(outside.path + target, folder.path + "/" + name) == 0)
        }
        let rest = try readAll(source)
        #expect(rest.names == ["b", "e"])
        #expect(rest.problems.map(\.file) == [folder.path + "/c", folder.path + "/d"])
    }

    /// Files of `/proc` say that they are empty.
    @Test func aFileThatHasMoreThanItSaysIsReported() throws {
        let outcome = try readAll(RecordSource(paths: ["/proc/self/status"], format: .files, wholeRow: false))
        #expect(outcome.records.isEmpty)
        #expect(outcome.problems.map(\.file) == ["/proc/self/status"])
    }

    @Test func depthIsBounded() throws {
        let folder = try TemporaryFolder()
        let deep = Array(repeating: "d", count: 127).joined(separator: "/")
        try folder.write("\(deep)/f", [1])
        try folder.write("\(deep)/d/f", [1])
        try folder.write("z", [1])
        let outcome = try importTree(folder)
        #expect(outcome.names == ["\(deep)/f", "z"])
        #expect(outcome.problems.map(\.message) == ["more than 128 folders inside one another: not read"])
    }

    @Test func manyFilesInManyFolders() throws {
        let folder = try TemporaryFolder()
        for index in 0..<2000 { try folder.write("\(index % 37)/\(index % 11)/\(index)", Array("\(index)".utf8)) }
        let before = openDescriptors()
        let outcome = try importTree(folder)
        #expect(outcome.records.count == 2000)
        #expect(Set(outcome.names).count == 2000)
        #expect(outcome.records.allSatisfy { $0.name.hasSuffix("/" + $0.text) })
        #expect(openDescriptors() < before + 50, "every file and folder was closed")
    }
}

private func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
}

/// Binds a Unix socket. Its path has to be short.
private func makeSocket(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
}

/// Runs the body as a user who may not read everything, if the tests run as root. `setfsuid` concerns this thread
/// only, and the other tests go on undisturbed.
private func withoutPrivileges<R>(_ body: () throws -> R) throws -> R {
    typealias SetUser = @convention(c) (UInt32) -> Int32
    let symbol = try #require(dlsym(nil, "setfsuid"))
    let setUser = unsafeBitCast(symbol, to: SetUser.self)
    let previous = setUser(geteuid() == 0 ? 65534 : geteuid())
    defer { _ = setUser(UInt32(bitPattern: previous)) }
    return try body()
}
