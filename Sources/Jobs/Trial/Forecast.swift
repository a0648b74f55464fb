public import Rotation

/// How long each stage takes for one secret, and what follows from that for many. Pure.
public struct Forecast: Sendable, Equatable {
    /// Seconds that each stage was busy for one secret; the workers' added up.
    public var each: StageTimes
    /// Crypto workers.
    public var workers: Int
    /// Cores that all stages share.
    public var cores: Int

    /// From what was measured.
    ///
    /// - Parameters:
    ///   - stages: how long each stage was busy.
    ///   - handled: for how many secrets.
    ///   - workers: crypto workers.
    ///   - cores: cores that all stages share.
    public init(_ stages: StageTimes, handled: Int, workers: Int, cores: Int) {
        each = StageTimes()
        each.read = stages.read / Double(max(1, handled))
        each.transform = stages.transform / Double(max(1, handled))
        each.commit = stages.commit / Double(max(1, handled))
        self.workers = max(1, workers)
        self.cores = max(1, cores)
    }

    /// Seconds a secret, by what is scarcest: a stage, or the cores that all of them share.
    public var secondsEach: Double {
        max(
            each.read, each.transform / Double(workers), each.commit,
            (each.read + each.transform + each.commit) / Double(cores))
    }

    /// How many a second one stage could do if it were alone; 0 where it did nothing.
    public func rate(_ stage: Stage) -> Double {
        let seconds =
            switch stage {
            case .read: each.read
            case .transform: each.transform / Double(workers)
            case .commit: each.commit
            }
        return seconds > 0 ? 1 / seconds : 0
    }

    /// What limits: a stage's name, or `processor` where all stages together ask for more than the cores can give.
    public var limit: String? {
        guard let stage = each.limiting(workers: workers) else { return nil }
        return secondsEach * rate(stage) > 1.001 ? "processor" : stage.rawValue
    }

    /// Seconds for many secrets.
    public func seconds(for secrets: Int64) -> Double { Double(secrets) * secondsEach }
}
