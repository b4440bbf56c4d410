extension Chart {
    /// Moments that a picture has room for: a few for each of its pixels.
    static let mostMoments = 3000

    /// The chart with so many moments as can be seen. Of each stretch of time the least and the most of every series stay,
    /// and each gap; in a run of hours nothing else would be seen of the rest.
    var thinned: Chart {
        guard samples == nil, times.count > Self.mostMoments else { return self }
        let size = max(2, times.count * (3 * series.count + 2) / Self.mostMoments)
        var kept: Set<Int> = [0, times.count - 1]
        for begin in stride(from: 0, to: times.count, by: size) {
            let bucket = begin..<min(begin + size, times.count)
            for values in tops {
                let known = bucket.filter { values[$0] != nil }
                if let least = known.min(by: { values[$0]! < values[$1]! }) { kept.insert(least) }
                if let most = known.max(by: { values[$0]! < values[$1]! }) { kept.insert(most) }
                if known.count < bucket.count, let missing = bucket.first(where: { values[$0] == nil }) {
                    kept.insert(missing)
                }
            }
        }
        let gaps = times.indices.dropFirst().filter { times[$0] - times[$0 - 1] > Self.longestJoin }
        if gaps.count < Self.mostMoments / 2 { kept.formUnion(gaps.flatMap { [$0 - 1, $0] }) }
        let order = kept.sorted()
        var chart = self
        chart.samples = times.count
        chart.times = order.map { times[$0] }
        chart.series = series.map { one in
            var one = one
            one.values = order.map { index in one.values[index] }
            return one
        }
        // A gap anywhere since the moment before is one between the two.
        var next = 0
        chart.gaps = Set(
            order.indices.filter { position in
                let isGap = next < gaps.count && gaps[next] <= order[position]
                while next < gaps.count, gaps[next] <= order[position] { next += 1 }
                return isGap
            }
        )
        return chart
    }

    /// Whether the moment follows so soon after another that what lies between them is known.
    func joins(_ index: Int, to last: Int, _ style: Series.Style) -> Bool {
        guard let gaps, style == .line || style == .stacked else {
            return times[index] - times[last] <= Self.longestJoin
        }
        return !gaps.contains(index)
    }
}
