import Files
import Glibc

/// A home in the making, so that a home is there whole or not at all: a folder beside its place that is renamed into it.
/// Where the home's folder is there already (a service's `/var/lib/keyroll`, a volume), it is made inside that one.
///
/// Its maker holds a lock on the folder. A draft that nobody holds was left behind by a process that was killed: the next
/// one for the same home takes it away, also what of it had been moved into place.
public final class HomeDraft {
    /// Where it is made.
    public let layout: HomeLayout
    private let target: HomeLayout
    private let isInside: Bool
    private let lock: Int32

    private static let insideName = "home"
    private static let infix = ".new-"
    /// In a draft inside the home's folder, before the first part is moved: the names of all parts.
    private static let placing = "placing"

    /// Makes the folder.
    ///
    /// - Parameter target: where the home is going to be; nothing may be there, or an empty folder of this user's.
    /// - Throws: ``HomeError`` with `exists` where something is in the way, `FileError`.
    public init(of target: HomeLayout) throws {
        self.target = target
        let parent = PrivateFile.parent(of: target.path)
        try PrivateFile.makeDirectory(parent)
        isInside = try PrivateFile.isThere(target.path)
        if isInside {
            guard try Self.isRoom(for: target) else { throw Self.notEmpty(target) }
            try Self.sweep(target.path, Self.insideName)
            guard chmod(target.path, 0o700) == 0 else { throw FileError.current(target.path, "cannot change its mode") }
            layout = HomeLayout(PrivateFile.temporaryName(beside: target.path + "/" + Self.insideName))
        } else {
            try Self.sweep(parent, String(target.path.dropFirst(parent.count).drop { $0 == "/" }))
            layout = HomeLayout(PrivateFile.temporaryName(beside: target.path))
        }
        guard mkdir(layout.path, 0o700) == 0 else { throw FileError.current(layout.path, "cannot make the folder") }
        guard let lock = Self.lock(layout.path) else {
            throw FileError(.inputOutput, layout.path, "another command took it away; run this one again")
        }
        self.lock = lock
    }

    deinit { close(lock) }

    /// Whether nothing is there, or a folder of this user's that is empty but for what killed makers left.
    ///
    /// - Throws: `FileError`.
    public static func isRoom(for target: HomeLayout) throws -> Bool {
        var status = stat()
        guard lstat(target.path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw FileError.current(target.path, "cannot look at") }
            return true
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return false }
        guard status.st_uid == geteuid() else {
            throw FileError(.unsafe, target.path, "belongs to another user (\(status.st_uid)); run this as that one")
        }
        guard access(target.path, R_OK | X_OK) == 0 else { throw FileError.current(target.path, "cannot look into") }
        let names = FolderListing.names(target.path)
        let drafts = names.filter { isDraft($0, of: insideName) && isStale(target.path + "/" + $0) }
        let known = Set(drafts + drafts.flatMap { parts(of: target.path + "/" + $0) })
        return known.isSuperset(of: names)
    }

    /// Puts it into place, on the disk.
    ///
    /// - Throws: ``HomeError`` with `exists` where something came into the way, `FileError`.
    public func place() throws {
        if isInside {
            do { try moveUp() } catch {
                Self.moveBack(layout.path)
                throw error
            }
        } else if rename(layout.path, target.path) != 0 {
            if errno == ENOTEMPTY || errno == EEXIST { throw Self.notEmpty(target) }
            throw FileError.current(target.path, "cannot move the new home into place")
        }
        try PrivateFile.syncDirectory(of: target.path)
    }

    /// Removes it; nothing of it is in place then.
    public func discard() { Home.removeTree(layout.path) }

    /// Part by part. The configuration comes last: without it there is no home, and whoever looks says so.
    private func moveUp() throws {
        let last = String(layout.configuration.dropFirst(layout.path.count + 1))
        let names = FolderListing.names(layout.path).filter { $0 != last } + [last]
        guard !names.contains(where: { PrivateFile.exists(target.path + "/" + $0) }) else {
            throw Self.notEmpty(target)
        }
        try Array(names.joined(separator: "\n").utf8).withUnsafeBytes {
            try PrivateFile.write(layout.path + "/" + Self.placing, $0, replacing: false)
        }
        for name in names {
            guard rename(layout.path + "/" + name, target.path + "/" + name) == 0 else {
                throw FileError.current(target.path, "cannot move the new home into place")
            }
        }
        // From here on it is there, whatever becomes of the rest.
        try PrivateFile.syncDirectory(of: target.configuration)
        Home.removeTree(layout.path)
    }

    // MARK: What was left behind

    /// Takes away what killed makers left in a folder. What somebody holds is left alone.
    static func sweep(_ folder: String, _ stem: String) throws {
        for name in FolderListing.names(folder) where isDraft(name, of: stem) {
            let path = folder + "/" + name
            guard let lock = lock(path) else { continue }
            defer { close(lock) }
            // Once the configuration is there, so is the home.
            if stem == insideName, !PrivateFile.exists(HomeLayout(folder).configuration) { moveBack(path) }
            Home.removeTree(path)
        }
    }

    /// In the home that a draft inside became: what of the draft is left, of a maker that was killed at the very end.
    static func sweepInside(_ layout: HomeLayout) throws { try sweep(layout.path, insideName) }

    private static func moveBack(_ draft: String) {
        for name in parts(of: draft) where !PrivateFile.exists(draft + "/" + name) {
            _ = rename(PrivateFile.parent(of: draft) + "/" + name, draft + "/" + name)
        }
    }

    private static func parts(of draft: String) -> [String] {
        guard let bytes = try? PrivateFile.read(draft + "/" + placing, limit: 64 << 10) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init).filter {
            !$0.contains("/") && $0 != ".." && $0 != "."
        }
    }

    private static func isDraft(_ name: String, of stem: String) -> Bool {
        let digits = name.dropFirst(stem.count + infix.count)
        return name.hasPrefix(stem + infix) && (1...16).contains(digits.count) && digits.allSatisfy(\.isHexDigit)
    }

    private static func isStale(_ path: String) -> Bool {
        guard let lock = lock(path) else { return false }
        close(lock)
        return true
    }

    /// nil where it is no folder of this user's, or somebody holds it.
    private static func lock(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), flock(descriptor, LOCK_EX | LOCK_NB) == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func notEmpty(_ layout: HomeLayout) -> HomeError {
        HomeError(.exists, "\(layout.path): is there already, and is no empty folder; nothing was changed")
    }
}
