import Dispatch
import Files
import Foundation

/// A folder of the benchmark's own, which goes again: at the end, after a failure, and on SIGINT and SIGTERM.
final class ScratchFolder {
    let path: String
    private let signals: [any DispatchSourceSignal]

    init(in parent: String) throws {
        guard let whole = realpath(parent, nil) else { throw FileError.current(parent, "cannot find") }
        defer { free(whole) }
        // The name is one that the repository ignores.
        var template = Array((String(cString: whole) + "/.build-benchmark-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw FileError.current(parent, "cannot make a folder in") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.path = path
        signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                try? FileManager.default.removeItem(atPath: path)
                _exit(75)
            }
            source.activate()
            return source
        }
    }

    func remove() {
        for source in signals { source.cancel() }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            Progress.say("cannot remove \(path): \(error)")
        }
    }
}
