import Files
import Glibc

/// A home in the making, so that a home is there whole or not at all: a folder beside its place that is renamed into it; or
/// one inside it, where the home's folder is all that this user may write, as with a service's `/var/lib/keyroll`.
public struct HomeDraft {
    /// Where it is made.
    public let layout: HomeLayout
    private let target: HomeLayout

    /// Whether nothing is there, or an empty folder.
    ///
    /// - Throws: `FileError`.
    public static func isRoom(for layout: HomeLayout) throws -> Bool {
        guard try PrivateFile.isThere(layout.path) else { return true }
        var status = stat()
        guard lstat(layout.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return FolderListing.names(layout.path).isEmpty
    }

    /// Makes the folder.
    ///
    /// - Parameter target: where the home is going to be.
    /// - Throws: ``HomeError`` with `exists` where something is in the way, `FileError`.
    public init(of target: HomeLayout) throws {
        self.target = target
        try PrivateFile.makeDirectory(PrivateFile.parent(of: target.path))
        let beside = PrivateFile.temporaryName(beside: target.path)
        if mkdir(beside, 0o700) == 0 {
            layout = HomeLayout(beside)
            return
        }
        let number = errno
        let failure = FileError.current(beside, "cannot make the folder")
        guard number == EACCES || number == EROFS, PrivateFile.exists(target.path) else { throw failure }
        try PrivateFile.checkDirectory(target.path)
        guard FolderListing.names(target.path).isEmpty else { throw Self.notEmpty(target) }
        let inside = PrivateFile.temporaryName(beside: target.path + "/home")
        guard mkdir(inside, 0o700) == 0 else { throw failure }
        layout = HomeLayout(inside)
    }

    /// Puts it into place, on the disk.
    ///
    /// - Throws: ``HomeError`` with `exists` where something came into the way, `FileError`.
    public func place() throws {
        if PrivateFile.parent(of: layout.path) == target.path {
            try moveUp()
        } else if rename(layout.path, target.path) != 0 {
            if errno == ENOTEMPTY || errno == EEXIST { throw Self.notEmpty(target) }
            throw FileError.current(target.path, "cannot move the new home into place")
        }
        try PrivateFile.syncDirectory(of: target.path)
    }

    /// Removes it; nothing is in place then.
    public func discard() { Home.removeTree(layout.path) }

    /// File by file. The configuration comes last: without it there is no home, and whoever looks says so.
    private func moveUp() throws {
        let last = layout.configuration.dropFirst(layout.path.count + 1)
        for name in FolderListing.names(layout.path).filter({ $0 != last }) + [String(last)] {
            guard !PrivateFile.exists(target.path + "/" + name) else { throw Self.notEmpty(target) }
            guard rename(layout.path + "/" + name, target.path + "/" + name) == 0 else {
                throw FileError.current(target.path, "cannot move the new home into place")
            }
        }
        rmdir(layout.path)
        try PrivateFile.syncDirectory(of: target.configuration)
    }

    private static func notEmpty(_ layout: HomeLayout) -> HomeError {
        HomeError(.exists, "\(layout.path): the folder is not empty; nothing was changed")
    }
}
