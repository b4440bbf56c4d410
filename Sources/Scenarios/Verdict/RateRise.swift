internal import LoadGenerator
internal import Results

/// When more connections are opened than the ports of one source address sustain.
enum RateRise {
    /// A mean over so many seconds, and how far above what is sustained it must lie. A few batches of a healthy caller
    /// can come close together: over a short time the mean says something only well above it.
    private static let windows = [(seconds: 4.0, factor: 1.5), (seconds: 20.0, factor: 1.0)]

    /// The first point at which the mean of the time before it is above; nil when there is none.
    /// - Parameters:
    ///   - timeline: the rate of each point holds since the one before it.
    ///   - sustainable: connections a second.
    static func first(
        in timeline: [TimelinePoint],
        sustainable: Double
    ) -> (point: TimelinePoint, perSecond: Double, seconds: Double)? {
        windows.compactMap { window in
            first(in: timeline, above: sustainable * window.factor, over: window.seconds)
        }.min { $0.point.at < $1.point.at }
    }

    /// In one pass: a run of a day has 172,800 points.
    private static func first(
        in timeline: [TimelinePoint],
        above bound: Double,
        over window: Double
    ) -> (point: TimelinePoint, perSecond: Double, seconds: Double)? {
        // Half-seconds add up to whole ones but for rounding.
        let window = window - 1e-6
        // Connections opened up to the beginning and up to each point.
        var opened = [(at: 0.0, count: 0.0)]
        opened.reserveCapacity(timeline.count + 1)
        var oldest = 0
        for point in timeline {
            let last = opened[opened.count - 1]
            let count = last.count + point.dialsPerSecond * max(0, point.at - last.at)
            opened.append((point.at, count))
            // The latest that lies a whole window back.
            while oldest + 1 < opened.count - 1, opened[oldest + 1].at <= point.at - window { oldest += 1 }
            let seconds = point.at - opened[oldest].at
            guard seconds >= window else { continue }
            let mean = (count - opened[oldest].count) / seconds
            if mean > bound { return (point, mean, seconds) }
        }
        return nil
    }
}
