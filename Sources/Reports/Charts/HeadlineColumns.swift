/// Where the phases of a headline picture are drawn: as wide as they are long, but no narrower than their words need.
struct HeadlineColumns {
    /// Pixels: where each phase begins, and the end.
    let edges: [Double]
    private let phases: [Headline.Phase]

    /// - Parameters:
    ///   - phases: one or more.
    ///   - left: pixels at which the first begins.
    ///   - right: where the last ends.
    ///   - least: pixels that each has, as far as there is room for all.
    init(_ phases: [Headline.Phase], from left: Double, to right: Double, atLeast least: Double) {
        self.phases = phases
        let room = right - left
        let least = min(least, room / Double(phases.count))
        var widths = [Double](repeating: 0, count: phases.count)
        // Those that are too short get the least; the others share what is left by their length.
        var short: Set<Int> = []
        while true {
            let rest = phases.indices.filter { !short.contains($0) }
            let seconds = rest.reduce(0) { $0 + phases[$1].to - phases[$1].from }
            let left = room - Double(short.count) * least
            for index in phases.indices {
                widths[index] =
                    short.contains(index)
                    ? least : left * (phases[index].to - phases[index].from) / seconds
            }
            let more = rest.filter { widths[$0] < least - 1e-6 }
            if more.isEmpty || rest.isEmpty { break }
            short.formUnion(more)
        }
        edges = widths.reduce(into: [left]) { $0.append($0[$0.count - 1] + $1) }
    }

    func width(_ phase: Int) -> Double { edges[phase + 1] - edges[phase] }

    func middle(_ phase: Int) -> Double { (edges[phase] + edges[phase + 1]) / 2 }

    func across(_ at: Double) -> Double {
        let index = phases.lastIndex { $0.from <= at } ?? 0
        let share = (at - phases[index].from) / (phases[index].to - phases[index].from)
        return edges[index] + min(1, max(0, share)) * (edges[index + 1] - edges[index])
    }
}
