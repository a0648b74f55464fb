import Synchronization

/// What the outside says to a run, and what it shows while it goes on.
public final class RunControl: Sendable {
    private let stopRequested = Atomic(false)
    private let done = Atomic(0)
    private let expected = Atomic(0)
    private let before = Atomic(0)
    private let stageName = Mutex("")
    private let past = Mutex(Past())
    private let beginning = Pacer.now()
    private let parent: RunControl?

    private struct Past {
        var course = RunCourse()
        var busy = StageTimes()
        var workers = 1
    }

    /// Nothing asked for yet.
    ///
    /// - Parameter parent: whoever asks that one for an end asks this one as well.
    public init(under parent: RunControl? = nil) { self.parent = parent }

    /// Asks for an end after the batch in work.
    public func stop() { stopRequested.store(true, ordering: .relaxed) }
    /// Whether somebody asked for an end.
    public var isStopping: Bool { stopRequested.load(ordering: .relaxed) || parent?.isStopping == true }

    /// Secrets handled so far.
    public var handled: Int { done.load(ordering: .relaxed) }
    /// Those of them that an earlier attempt handled.
    public var handledBefore: Int { before.load(ordering: .relaxed) }
    /// Secrets in all, as far as is known; 0 where it is not.
    public var total: Int { expected.load(ordering: .relaxed) }
    /// What is being done: "rewrap", "verify" …
    public var stage: String { stageName.withLock { $0 } }

    /// How the run came along so far.
    public var course: RunCourse { past.withLock { $0.course } }
    /// How long each stage was busy so far, in this process.
    public var busy: StageTimes { past.withLock { $0.busy } }
    /// The stage that the others wait for; nil where nothing was done yet.
    public var limiting: Stage? { past.withLock { $0.busy.limiting(workers: $0.workers) } }

    /// Shows what others do: workers in other processes.
    ///
    /// - Parameters:
    ///   - stage: what is being done.
    ///   - handled: secrets handled so far.
    ///   - total: secrets in all.
    public func show(_ stage: String, handled: Int, total: Int) {
        stageName.withLock { $0 = stage }
        done.store(handled, ordering: .relaxed)
        expected.store(total, ordering: .relaxed)
        past.withLock { $0.course.note(handled, at: Pacer.now() - beginning) }
    }

    func begin(_ stage: String, total: Int, handled: Int = 0) {
        stageName.withLock { $0 = stage }
        done.store(handled, ordering: .relaxed)
        before.store(handled, ordering: .relaxed)
        expected.store(total, ordering: .relaxed)
        past.withLock { $0.course.add(0, at: Pacer.now() - beginning) }
    }

    func begin(workers: Int) { past.withLock { $0.workers = workers } }

    /// Once a batch.
    func note(busy seconds: Double, in stage: Stage) {
        past.withLock {
            switch stage {
            case .read: $0.busy.read += seconds
            case .transform: $0.busy.transform += seconds
            case .commit: $0.busy.commit += seconds
            }
        }
    }

    /// Once a batch.
    func add(_ count: Int) {
        done.add(count, ordering: .relaxed)
        past.withLock { $0.course.add(count, at: Pacer.now() - beginning) }
    }
}

/// How a run is to go about it.
public struct RunOptions: Sendable {
    /// Crypto workers.
    public var workers: Int
    /// Secrets a second at most, or nil.
    public var maximumRate: Int?
    /// The real pipeline with the writes thrown away.
    public var isDryRun: Bool

    /// - Parameters:
    ///   - workers: crypto workers, 1 or more.
    ///   - maximumRate: secrets a second at most, or nil.
    ///   - isDryRun: throw the writes away.
    public init(workers: Int, maximumRate: Int? = nil, isDryRun: Bool = false) {
        self.workers = max(1, workers)
        self.maximumRate = maximumRate
        self.isDryRun = isDryRun
    }
}
