import Glibc

/// Reads files as secrets: a tree of them, or a single one.
final class FilesReader: RecordReader {
    private let origin: RecordOrigin
    private let walker: FileTreeWalker?
    private var name: ContiguousArray<UInt8>
    /// A file that is open and not read yet, because the batch was full.
    private var pending: FileTreeWalker.Found?

    /// Opens a path: a folder is walked, a regular file is one secret under its base name.
    init(path: String, origin: RecordOrigin) throws {
        self.origin = origin
        let descriptor = retryingInterrupts {
            Int(Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK))
        }
        guard descriptor >= 0 else { throw ImportError.unreadable(origin.name, errno: errno) }
        let file = OpenFile(descriptor: Int32(descriptor), name: origin.name)
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { throw ImportError.unreadable(origin.name, errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            let copy = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw ImportError.unreadable(origin.name, errno: errno) }
            walker = try FileTreeWalker(descriptor: copy, origin: origin)
            name = []
        case S_IFREG:
            walker = nil
            pending = FileTreeWalker.Found(file: file, status: status)
            name = ContiguousArray(path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...])
            if let flaw = name.withUnsafeBytes({ NameFlaw($0, limits: origin.limits) }) {
                origin.report(line: nil, flaw.message(origin.limits))
                pending = nil
            }
        default:
            throw ImportError(
                .wrongKind, file: origin.name, reason: "neither a file nor a folder: give one of these")
        }
    }

    func fill(_ batch: RecordBatch) throws -> Bool {
        while !batch.isFull {
            guard let found = pending ?? findNext() else { return false }
            let size = Int(found.status.st_size)
            if size > origin.limits.maximumSecret {
                report("larger than \(origin.limits.maximumSecret) bytes")
            } else {
                // One byte more than the file has, to notice when it has grown.
                guard try batch.reserve(name.count + size + 1) else {
                    pending = found
                    return true
                }
                add(found, size: size, to: batch)
            }
            pending = nil
        }
        return true
    }

    private func findNext() -> FileTreeWalker.Found? {
        guard let walker, let found = walker.next() else { return nil }
        name.replaceSubrange(name.startIndex..., with: walker.path)
        return found
    }

    /// Reads one file to the batch, unless it changes meanwhile: half of an old and half of a new secret is neither.
    private func add(_ found: FileTreeWalker.Found, size: Int, to batch: RecordBatch) {
        name.withUnsafeBufferPointer { name in
            if let base = name.baseAddress { batch.free.update(from: base, count: name.count) }
        }
        let output = batch.free + name.count
        var count = 0
        while count <= size {
            let got = retryingInterrupts { Glibc.read(found.file.descriptor, output + count, size + 1 - count) }
            if got < 0 { return report("cannot be read: \(systemReason(errno))") }
            if got == 0 { break }
            count += got
        }
        var status = stat()
        guard count == size, fstat(found.file.descriptor, &status) == 0, status.isUnchanged(since: found.status) else {
            return report("changed while it was read: import it again")
        }
        let nameRange = batch.used..<batch.used + name.count
        batch.append(
            ImportRecord(
                name: nameRange, context: nil, secret: nameRange.upperBound..<nameRange.upperBound + size,
                file: origin.file, line: 0, contentType: .bytes),
            count: name.count + size)
    }

    private func report(_ message: @autoclosure () -> String) {
        if let walker {
            walker.report(message())
        } else {
            origin.report(line: nil, message())
        }
    }
}

extension stat {
    /// Whether size and time of the last change of the content are the same.
    fileprivate func isUnchanged(since earlier: stat) -> Bool {
        st_size == earlier.st_size && st_mtim.tv_sec == earlier.st_mtim.tv_sec
            && st_mtim.tv_nsec == earlier.st_mtim.tv_nsec
    }
}
