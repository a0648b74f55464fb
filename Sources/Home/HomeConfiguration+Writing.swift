import Files
import Glibc

/// Changes of `keyroll.yaml` that commands make.
extension HomeConfiguration {
    /// Reads the file as it is now, changes it and writes it anew, atomically and with the mode that it had. Every value
    /// stays; comments are lost.
    ///
    /// - Parameters:
    ///   - layout: the home; the caller holds its run lock.
    ///   - change: what to change.
    /// - Returns: what is there now.
    @discardableResult
    public static func change(
        _ layout: HomeLayout, _ change: (inout HomeConfiguration) throws -> Void
    ) throws -> HomeConfiguration {
        let path = layout.configuration
        var status = stat()
        guard lstat(path, &status) == 0 else { throw FileError.current(path, "cannot look") }
        var configuration = try HomeConfiguration(path: path)
        try change(&configuration)
        guard Set(configuration.stores.map(\.name)).count == configuration.stores.count else {
            throw HomeError(.changedMeanwhile, "\(path): a store of that name was added meanwhile; run it again")
        }
        try Array(configuration.text.utf8).withUnsafeBytes { try PrivateFile.write(path, $0, replacing: true) }
        guard chmod(path, status.st_mode & 0o700) == 0 else { throw FileError.current(path, "cannot set the mode") }
        return configuration
    }
}
