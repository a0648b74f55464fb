/// Reads one file, or one tree of files, into batches.
protocol RecordReader: AnyObject {
    /// Fills `batch` until no further record fits or nothing is left.
    ///
    /// - Returns: false when everything was read.
    func fill(_ batch: RecordBatch) throws -> Bool
}

/// Where records come from, as a reader knows it.
struct RecordOrigin {
    /// The index of the path in ``RecordSource/files``.
    let file: Int
    /// The path for messages.
    let name: String
    /// How large things may be.
    let limits: ImportLimits
    /// The initial size of the read buffer, in bytes.
    let bufferCapacity: Int
    /// Where problems go.
    let problems: ProblemLog

    /// Notes a problem with a line.
    func report(line: Int?, _ message: @autoclosure () -> String) {
        problems.add(file: name, line: line, message())
    }
}
