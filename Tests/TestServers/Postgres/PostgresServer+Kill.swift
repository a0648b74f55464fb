import Foundation
import Glibc
import Synchronization

extension PostgresServer {
    /// The postmaster's process, of a server that runs.
    package var postmaster: Int32? {
        (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8))?
            .split(separator: "\n").first.flatMap { pid_t($0) }
    }

    /// Kills it with all its processes, as a failure of power would. ``start()`` recovers it.
    package func kill() throws {
        guard let postmaster else { throw ServerError("it does not run") }
        // A postmaster that stands still starts no process that is missing in the list.
        Glibc.kill(postmaster, SIGSTOP)
        let processes = [postmaster] + ProcessTable.children(of: postmaster)
        for process in processes { Glibc.kill(process, SIGKILL) }
        for process in processes { try ProcessTable.waitForEnd(process) }
        wasKilled.store(true, ordering: .relaxed)
    }
}
