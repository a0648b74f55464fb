import Foundation
import PackagePlugin

/// Gives a target `BuildCommit.text`: the commit that it is built from.
///
/// A prebuild command, because only those run with every build: a new commit changes no file of the package.
@main
struct BuildCommit: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) -> [Command] {
        let output = context.pluginWorkDirectoryURL
        return [
            .prebuildCommand(
                displayName: "Commit of \(target.name)", executable: URL(filePath: "/bin/sh"),
                arguments: [
                    context.package.directoryURL.appending(path: "Plugins/BuildCommit/commit.sh").path(
                        percentEncoded: false),
                    context.package.directoryURL.path(percentEncoded: false),
                    output.path(percentEncoded: false),
                ],
                outputFilesDirectory: output)
        ]
    }
}
