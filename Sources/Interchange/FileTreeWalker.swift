import Glibc

/// Walks a folder tree, depth first and in the order of the paths' bytes, and opens every file in it.
///
/// Every step goes through the open folder above (`openat`) and follows no link, so the walk cannot be led out of
/// the tree, even by someone who changes it meanwhile. Only one path exists at a time.
final class FileTreeWalker {
    /// An open file of the tree.
    struct Found {
        let file: OpenFile
        /// What `fstat` said after it was opened.
        let status: stat
    }

    /// The most folders inside one another. Each is an open descriptor.
    static let maximumDepth = 128

    /// The path of the last file found, from the root of the walk, with `/` between its parts.
    private(set) var path: ContiguousArray<UInt8> = []
    private let origin: RecordOrigin
    private var open: [(listing: DirectoryListing, pathCount: Int)] = []

    /// - Parameters:
    ///   - descriptor: the open folder; it is taken over.
    ///   - origin: where problems go.
    /// - Throws: ``ImportError`` if the folder cannot be read.
    init(descriptor: Int32, origin: RecordOrigin) throws {
        self.origin = origin
        guard let listing = DirectoryListing(descriptor: descriptor) else {
            throw ImportError.unreadable(origin.name, errno: errno)
        }
        open = [(listing, 0)]
    }

    /// The next file; `nil` at the end. What cannot be imported is reported on the way.
    func next() -> Found? {
        while let (listing, pathCount) = open.last {
            path.removeSubrange(pathCount...)
            guard listing.next < listing.entries.count else {
                open.removeLast()
                continue
            }
            let entry = listing.entries[listing.next]
            listing.next += 1
            if pathCount > 0 { path.append(UInt8(ascii: "/")) }
            listing.withName(entry) { path.append(contentsOf: $0) }
            let nameStart = path.count - entry.count
            if let found = visit(entry, nameStart: nameStart, in: listing) { return found }
        }
        return nil
    }

    /// Notes a problem with the file or folder at ``path``.
    func report(_ message: @autoclosure () -> String) {
        let path = path.withUnsafeBytes { printableName($0) }
        let root = origin.name.hasSuffix("/") ? origin.name : origin.name + "/"
        origin.problems.add(file: root + path, line: nil, message())
    }

    /// Opens a file, or goes into a folder; `nil` if there is no file here.
    private func visit(
        _ entry: DirectoryListing.Entry, nameStart: Int, in listing: DirectoryListing
    ) -> Found? {
        if let flaw = path.withUnsafeBytes({ NameFlaw($0, limits: origin.limits) }) {
            report(flaw.message(origin.limits))
            return nil
        }
        // Devices are not opened even to look at them: opening some has effects.
        var kind = entry.kind
        if kind == .unknown { kind = statKind(nameStart, in: listing) }
        switch kind {
        case .symbolicLink: report("a symbolic link: not followed")
        case .other: report("not a regular file")
        case .folder: enter(nameStart, in: listing)
        case .file, .unknown: return openFile(nameStart, in: listing)
        }
        return nil
    }

    private func enter(_ nameStart: Int, in listing: DirectoryListing) {
        guard open.count < Self.maximumDepth else {
            return report("more than \(Self.maximumDepth) folders inside one another: not read")
        }
        let descriptor = openEntry(nameStart, O_DIRECTORY, in: listing)
        guard descriptor >= 0, let entered = DirectoryListing(descriptor: descriptor) else {
            return report("the folder cannot be read: \(systemReason(errno))")
        }
        open.append((entered, path.count))
    }

    private func openFile(_ nameStart: Int, in listing: DirectoryListing) -> Found? {
        // Without O_NONBLOCK, a pipe that took the file's place meanwhile would hold the run for ever.
        let descriptor = openEntry(nameStart, O_NONBLOCK, in: listing)
        guard descriptor >= 0 else {
            report("cannot be opened: \(systemReason(errno))")
            return nil
        }
        let file = OpenFile(descriptor: descriptor, name: origin.name)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            report("not a regular file")
            return nil
        }
        return Found(file: file, status: status)
    }

    private func openEntry(_ nameStart: Int, _ flags: Int32, in listing: DirectoryListing) -> Int32 {
        withName(nameStart) { name in
            Int32(
                retryingInterrupts {
                    Int(openat(listing.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | flags))
                })
        }
    }

    /// Some file systems do not say in a folder what its entries are.
    private func statKind(_ nameStart: Int, in listing: DirectoryListing) -> DirectoryListing.Kind {
        var status = stat()
        let result = withName(nameStart) { fstatat(listing.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        guard result == 0 else { return .unknown }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .symbolicLink
        default: return .other
        }
    }

    /// The last part of the path as a C string.
    private func withName<R>(_ start: Int, _ body: (UnsafePointer<CChar>) -> R) -> R {
        path.append(0)
        defer { path.removeLast() }
        return path.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("a path with a terminator is not empty") }
            return body((base + start).assumingMemoryBound(to: CChar.self))
        }
    }
}
