import Foundation
import Glibc

/// What the kernel says of processes that are not our own children.
enum ProcessTable {
    /// The processes whose parent this is.
    static func children(of parent: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { state($0)?.parent == parent }
    }

    /// Waits until a process has ended; one that nobody waited for has.
    static func waitForEnd(_ pid: pid_t) throws {
        for _ in 0..<10_000 {
            guard let state = state(pid), state.letter != "Z", state.letter != "X" else { return }
            usleep(1000)
        }
        throw ServerError("process \(pid) does not end")
    }

    private static func state(_ pid: pid_t) -> (letter: Substring, parent: pid_t)? {
        guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The name before it is in brackets, and may hold anything.
            let end = line.lastIndex(of: ")")
        else { return nil }
        let words = line[line.index(after: end)...].split(separator: " ")
        guard words.count > 1, let parent = pid_t(words[1]) else { return nil }
        return (words[0], parent)
    }
}
