import Rotation

/// A run's throughput over time, as an area under a curve. Pure.
struct RateCurve {
    /// Secrets a second between each point and the one before, at the later point's second.
    let rates: [(seconds: Double, rate: Double)]

    /// - Parameter course: how the run came along.
    init(_ course: [RunCourse.Point]) {
        rates = zip(course, course.dropFirst()).compactMap { before, after in
            let seconds = after.seconds - before.seconds
            guard seconds > 0 else { return nil }
            return (after.seconds, max(0, Double(after.handled - before.handled)) / seconds)
        }
    }

    /// The drawing; nil where a run was too short to have a course.
    var drawing: HTML? {
        guard rates.count >= 3, let end = rates.last?.seconds, let top = rates.map(\.rate).max(), top > 0 else {
            return nil
        }
        let begin = rates[0].seconds
        func place(_ point: (seconds: Double, rate: Double)) -> String {
            let x = 1000 * (point.seconds - begin) / max(1e-9, end - begin)
            return "\(Drawing.coordinate(x)),\(Drawing.coordinate(100 - 98 * point.rate / top))"
        }
        let curve = rates.map(place).joined(separator: " ")
        return .element(
            "div",
            [
                ("class", "curve"), ("role", "img"),
                ("aria-label", "Throughput over time, at most \(Numbers.short(top)) secrets a second"),
            ],
            [
                .element("span", text: "\(Numbers.short(top)) a second at most"),
                .element(
                    "svg", [("viewBox", "0 0 1000 100"), ("preserveAspectRatio", "none")],
                    [
                        .element("polygon", [("class", "area"), ("points", "0,100 \(curve) 1000,100")]),
                        .element(
                            "polyline", [("class", "line"), ("vector-effect", "non-scaling-stroke"), ("points", curve)]),
                    ]),
                .element(
                    "span", [("class", "ends")],
                    [
                        .element("span", text: Numbers.seconds(begin)), .element("span", text: Numbers.seconds(end)),
                    ]),
            ])
    }
}
