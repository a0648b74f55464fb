import Glibc

/// One folder's entries, sorted by the bytes of their names, and the open folder itself.
///
/// The names lie one behind the other in one array: a folder with a million files costs a few bytes a file more than
/// the names themselves.
final class DirectoryListing {
    /// What an entry is, as far as the folder tells.
    enum Kind { case file, folder, symbolicLink, other, unknown }

    /// One entry.
    struct Entry {
        let start: Int
        let count: Int
        let kind: Kind
    }

    private(set) var entries: ContiguousArray<Entry> = []
    /// The next entry that is to be visited.
    var next = 0
    private var names: ContiguousArray<UInt8> = []
    private let directory: OpaquePointer

    /// Reads a folder, and takes over its descriptor.
    ///
    /// - Returns: `nil` with `errno` set if it cannot be read.
    init?(descriptor: Int32) {
        guard let opened = fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            errno = code
            return nil
        }
        directory = opened
        guard readEntries() else { return nil }
        sortEntries()
    }

    deinit { closedir(directory) }

    /// The descriptor to open entries by.
    var descriptor: Int32 { dirfd(directory) }

    /// An entry's name.
    func withName<R>(_ entry: Entry, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        names.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entry.start..<entry.start + entry.count])) }
    }

    private func readEntries() -> Bool {
        while true {
            errno = 0
            guard let entry = readdir(directory) else { return errno == 0 }
            guard let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) else { return false }
            let name = UnsafeRawPointer(entry) + nameOffset
            let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))
            if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { continue }
            let kind = Self.kind(entry.pointee.d_type)
            entries.append(Entry(start: names.count, count: bytes.count, kind: kind))
            names.append(contentsOf: bytes)
        }
    }

    /// Sorts as if folders' names ended in a slash, so that the paths of the whole tree come out in the order of
    /// their bytes.
    private func sortEntries() {
        names.withUnsafeBufferPointer { names in
            entries.sort { left, right in
                guard let base = names.baseAddress else { return false }
                let common = min(left.count, right.count)
                let order = memcmp(base + left.start, base + right.start, common)
                if order != 0 { return order < 0 }
                func next(_ entry: Entry) -> UInt8 {
                    if entry.count > common { return base[entry.start + common] }
                    return entry.kind == .folder ? UInt8(ascii: "/") : 0
                }
                return next(left) < next(right)
            }
        }
    }

    private static func kind(_ type: UInt8) -> Kind {
        switch Int(type) {
        case Int(DT_REG): .file
        case Int(DT_DIR): .folder
        case Int(DT_LNK): .symbolicLink
        case Int(DT_UNKNOWN): .unknown
        default: .other
        }
    }
}
