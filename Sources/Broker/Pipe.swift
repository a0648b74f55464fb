import CSystem
import Glibc

/// A pipe that no child inherits by chance.
enum Pipe {
    /// - Throws: ``BrokerFault``.
    static func make() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard keyroll_pipe(&ends) == 0 else {
            throw BrokerFault("cannot make a pipe: \(String(cString: strerror(errno)).lowercased())")
        }
        return (ends[0], ends[1])
    }
}
