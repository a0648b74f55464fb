import Foundation

/// PostgreSQL's own programs: the newest version that is installed.
enum PostgresPrograms {
    private static let folder: String? = {
        let parent = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).compactMap { Int($0) }
        let folders = versions.sorted(by: >).map { "\(parent)/\($0)/bin" } + ["/usr/local/bin", "/usr/bin"]
        return folders.first { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }
    }()

    /// The path of one of them. A machine without it fails the test that needs it: a skipped test proves nothing.
    static func path(_ name: String) throws -> String {
        guard let folder else {
            throw ServerError(
                "PostgreSQL's server is not installed: make test installs it (apt-get install postgresql)")
        }
        return folder + "/" + name
    }
}
