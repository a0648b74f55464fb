/// The problems found since they were last taken, and the number of all of them.
///
/// A file of the wrong kind has a problem on each of its lines, so only the first ones are kept: a million messages
/// help nobody and would break the promise that memory does not grow with the input.
final class ProblemLog {
    /// How many are kept between two calls of ``take()``.
    static let maximumKept = 10_000

    /// How many were found since the start, kept or not.
    private(set) var count = 0
    private var kept: [ImportProblem] = []

    /// Notes one. The message is only put together when it will be kept.
    func add(file: String, line: Int?, _ message: @autoclosure () -> String) {
        count += 1
        guard kept.count < Self.maximumKept else { return }
        kept.append(ImportProblem(file: file, line: line, message: message()))
    }

    /// Hands over those kept, and forgets them.
    func take() -> [ImportProblem] {
        defer { kept.removeAll() }
        return kept
    }
}
