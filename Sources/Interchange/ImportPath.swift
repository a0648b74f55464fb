import Glibc

/// A path that a user gave, and what is there.
struct ImportPath {
    let path: String

    init(_ path: String) { self.path = path }

    /// Whether it means standard input.
    var isStandardInput: Bool { path == "-" }

    /// The path for messages.
    var name: String { isStandardInput ? "standard input" : printableName(path) }

    /// Checks that the path can be read, and tells how.
    ///
    /// - Parameter wanted: the format that the user asked for, if any.
    func format(wanted: ImportFormat?) throws -> ImportFormat {
        if isStandardInput {
            switch wanted {
            case .some(.files):
                throw ImportError(
                    .standardInputHasNoName, file: name,
                    reason: "one file without a name is not a secret: give a path, or use format jsonl or csv")
            case .some(let format): return format
            case .none: throw unknownFormat()
            }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw ImportError.unreadable(name, errno: errno) }
        let kind = status.st_mode & S_IFMT
        let format = try wanted ?? (kind == S_IFDIR ? .files : ImportFormat(extensionOf: path)) ?? unknown()
        switch (kind, format) {
        case (S_IFDIR, .jsonl), (S_IFDIR, .csv):
            throw ImportError(
                .wrongKind, file: name, reason: "a folder, where format \(format.rawValue) needs a file")
        case (S_IFDIR, .files), (S_IFREG, _):
            // A look now, so that a typing error or a wrong mode shows before anything is imported.
            try tryOpening()
        case (_, .files):
            throw ImportError(.wrongKind, file: name, reason: "neither a file nor a folder: give one of these")
        default:
            // A pipe: opening it twice would end it for whoever writes.
            break
        }
        return format
    }

    /// Opens it for reading as one file.
    func open() throws -> OpenFile {
        if isStandardInput { return OpenFile(descriptor: STDIN_FILENO, name: name) }
        return try OpenFile(path: path, name: name)
    }

    private func tryOpening() throws {
        _ = try OpenFile(path: path, name: name)
    }

    private func unknown() throws -> ImportFormat { throw unknownFormat() }

    private func unknownFormat() -> ImportError {
        let formats = ImportFormat.allCases.map(\.rawValue).joined(separator: ", ")
        return ImportError(
            .unknownFormat, file: name, reason: "cannot tell the format: say which it is, one of \(formats)")
    }
}
