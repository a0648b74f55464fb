import Files
import Glibc

/// Standard output for answers, standard error for people and progress.
enum Output {
    /// Writes text to standard output; a reader that has gone away ends the process quietly.
    static func print(_ text: String) {
        Array(text.utf8).withUnsafeBytes { bytes($0) }
    }

    /// The same for bytes.
    static func bytes(_ bytes: UnsafeRawBufferPointer) {
        do { try PrivateFile.writeAll(1, bytes, path: "standard output") } catch { Exit.fail(error) }
    }

    /// One line for people on standard error, whatever a file or a name brought into it.
    static func error(_ line: String) { write("\(Colour.error("keyroll:")) \(shown(line))\n") }

    /// A line that is no error.
    static func note(_ line: String) { write(shown(line) + "\n") }

    /// What another process of keyroll wrote for standard error, as it is.
    static func error(bytes: UnsafeRawBufferPointer) { _ = Glibc.write(2, bytes.baseAddress, bytes.count) }

    /// Raw text on standard error.
    static func write(_ text: String) {
        Array(text.utf8).withUnsafeBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// A name as a terminal may show it: control characters become escapes, so that no name can move the cursor or
    /// forge a line.
    static func shown(_ name: String) -> String { ShownText.of(name) }
}
