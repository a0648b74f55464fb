import Rotation
import Testing

/// How a run came along, in constant memory; and which stage it waited for.
@Suite struct RunCourseTests {
    @Test func itStaysSmallAndKeepsBothEnds() throws {
        var course = RunCourse()
        for step in 0..<200_000 { course.add(7, at: Double(step) * 0.05) }
        let points = course.points
        #expect(points.count <= RunCourse.limit && points.count > RunCourse.limit / 3)
        #expect(points.last == .init(seconds: 199_999 * 0.05, handled: 7 * 200_000))
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.seconds < $1.seconds && $0.handled < $1.handled })
        // However much is left out, what lies between two points is whole: a steady run shows a steady rate.
        for (before, after) in zip(points, points.dropFirst()) {
            let rate = Double(after.handled - before.handled) / (after.seconds - before.seconds)
            #expect(abs(rate - 140) < 0.01)
        }
    }

    @Test func whatLimits() {
        var times = StageTimes()
        #expect(times.limiting(workers: 2) == nil)
        times.read = 1
        times.transform = 3
        times.commit = 2
        #expect(times.limiting(workers: 1) == .transform)
        #expect(times.limiting(workers: 2) == .commit, "two workers share it")
    }
}
