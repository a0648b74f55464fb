/// Something in an import file that was not imported, and why. The run goes on after it.
///
/// It never contains bytes of a file's content, only places and reasons, so that it can be shown and logged.
public struct ImportProblem: Sendable, Hashable, CustomStringConvertible {
    /// The file, as a person would name it. Bytes that a terminal should not see are written `\xNN`.
    public var file: String
    /// The line on which the record starts, from 1; `nil` when the file as a whole is meant.
    public var line: Int?
    /// What is wrong, in lower case, without a full stop. Columns in it are counted in bytes, from 1.
    public var message: String

    /// Makes a problem.
    public init(file: String, line: Int?, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// `file:line: message`, on one line.
    public var description: String {
        guard let line else { return "\(file): \(message)" }
        return "\(file):\(line): \(message)"
    }
}
