import Foundation

/// What every process of a test gets where the tests run under a sanitizer (`make test-asan`, `make test-tsan`).
enum Sanitizers {
    /// The sanitizers' options, and how Swift tells of a crash.
    static let variables = ProcessInfo.processInfo.environment.filter {
        ["ASAN_OPTIONS", "TSAN_OPTIONS", "SWIFT_BACKTRACE"].contains($0.key)
    }

    /// Whether one watches: it takes several times the memory and the time, and locks no memory.
    static let watch = ProcessInfo.processInfo.environment["KEYROLL_TEST_SANITIZER"] != nil
}
