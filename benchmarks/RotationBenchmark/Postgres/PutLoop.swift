import Foundation
import Glibc
import Keyroll

/// An application that has a home open and puts one secret after another, until its standard input ends.
enum PutLoop {
    /// - Returns: how many milliseconds each took.
    static func run(_ home: String) throws -> [Double] {
        let group = try KeyGroup.open(home: home)
        let prefix = "loop/\(getpid())/\(UInt64.random(in: 0 ... .max))/"
        var milliseconds: [Double] = []
        while !hasEnded() {
            let name = prefix + String(milliseconds.count)
            milliseconds.append(try Stopwatch.seconds { try group.put(name, Array("correct horse".utf8)) } * 1000)
        }
        return milliseconds
    }

    private static func hasEnded() -> Bool {
        var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&input, 1, 0) > 0
    }
}
