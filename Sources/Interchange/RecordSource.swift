import Glibc

/// Reads import files, one after the other, into batches of records.
///
/// What is wrong with one record becomes an ``ImportProblem``, and the run goes on; what is wrong with a file as a
/// whole is thrown. Files are read as they stream by: memory does not depend on their number or size, only on the
/// largest record.
///
/// A source is used by one thread at a time.
public final class RecordSource {
    /// The paths as they were given; ``ImportRecord/file`` is an index into them.
    public let files: [String]
    /// How many problems were found since the start, whether ``takeProblems()`` still has them or not.
    public var problemCount: Int { problems.count }

    private let formats: [ImportFormat]
    private let wholeRow: Bool
    private let limits: ImportLimits
    private let bufferCapacity: Int
    private let problems = ProblemLog()
    private var current = 0
    private var reader: (any RecordReader)?
    /// An error that came up when the batch had records already, which have to be delivered first.
    private var deferred: ImportError?

    /// Makes a source of the files at `paths`.
    ///
    /// - Parameters:
    ///   - paths: files and folders, in the order in which they are to be read. `-` is standard input, whose format
    ///     must be given.
    ///   - format: the format of them all. If `nil`, each path tells its own: a folder is ``ImportFormat/files``, the
    ///     extensions `.jsonl`, `.ndjson` and `.json` are ``ImportFormat/jsonl``, `.csv` is ``ImportFormat/csv``.
    ///   - wholeRow: for CSV, whether a secret is the whole row as a JSON object and not the password alone.
    ///   - limits: how large names, contexts and secrets may be.
    /// - Throws: ``ImportError`` if a path does not exist, may not be read, or does not tell its format.
    public convenience init(
        paths: [String], format: ImportFormat?, wholeRow: Bool, limits: ImportLimits = .init()
    ) throws {
        try self.init(
            paths: paths, format: format, wholeRow: wholeRow, limits: limits,
            bufferCapacity: ReadBuffer.ordinaryCapacity)
    }

    /// The same with another size of the read buffer, in bytes.
    package init(paths: [String], format: ImportFormat?, wholeRow: Bool, limits: ImportLimits, bufferCapacity: Int)
        throws
    {
        precondition(bufferCapacity > 0, "a buffer needs room")
        files = paths
        self.wholeRow = wholeRow
        self.limits = limits
        self.bufferCapacity = bufferCapacity
        formats = try paths.map { try ImportPath($0).format(wanted: format) }
    }

    /// Reads records until `batch` is full, by bytes or by records, or nothing is left. They are added to those that
    /// are there.
    ///
    /// - Parameter batch: usually one that was ``RecordBatch/reset()``.
    /// - Returns: false when everything was read and the batch is empty.
    /// - Throws: ``ImportError`` if a file cannot be read (further) or its CSV header is of no use. That file is given
    ///   up, and the next call goes on with the next one; records read before the error are delivered before it.
    ///   Or what `SecureBytes` throws if there is no memory; the same call can be made again.
    public func read(into batch: RecordBatch) throws -> Bool {
        if let error = deferred {
            deferred = nil
            throw error
        }
        while current < files.count {
            do {
                let reader = try self.reader ?? openReader()
                self.reader = reader
                if try reader.fill(batch) { return true }
                finishFile()
            } catch let error as ImportError {
                finishFile()
                if batch.records.isEmpty { throw error }
                deferred = error
                return true
            }
        }
        return !batch.records.isEmpty
    }

    /// The problems found since the last call, 10,000 at most; ``problemCount`` counts the others too.
    public func takeProblems() -> [ImportProblem] { problems.take() }

    private func finishFile() {
        reader = nil
        current += 1
    }

    private func openReader() throws -> any RecordReader {
        let path = ImportPath(files[current])
        let origin = RecordOrigin(
            file: current, name: path.name, limits: limits, bufferCapacity: bufferCapacity, problems: problems)
        switch formats[current] {
        case .files: return try FilesReader(path: path.path, origin: origin)
        case .jsonl: return try JSONLinesReader(path.open(), origin: origin)
        case .csv: return try CSVReader(path.open(), wholeRow: wholeRow, origin: origin)
        }
    }
}
