internal import KernelProbe
internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Text
internal import Units

extension RunResult {
    /// The stages of the post-mortem, in its order, each with what was measured of it.
    func measuredCascade(sustainableDialsPerSecond sustainable: Double) -> [CascadeStage] {
        let capacity = phases.first?.portsCapacity ?? 0
        func stage(_ name: String, _ point: TimelinePoint?, _ detail: String, otherwise: String) -> CascadeStage {
            CascadeStage(name: name, happened: point != nil, at: point?.at, detail: point == nil ? otherwise : detail)
        }
        let peakDials = timeline.map(\.dialsPerSecond).max() ?? 0
        let peakLines = timeline.map(\.logLinesPerSecond).max() ?? 0
        let first = timeline.first
        let peakThreads = timeline.map(\.threads).max() ?? 0
        let peakMemory = timeline.map(\.rssBytes).max() ?? 0
        let death = events.first { $0.kind == .death }
        let restart = death.flatMap { death in events.first { $0.kind == .restart && $0.at > death.at } }
        let again = restart.flatMap { restart in
            timeline.first { $0.at > restart.at && $0.isUp && ($0.errorsPerSecond["EADDRINUSE"] ?? 0) > 0 }
        }
        let left = restart.flatMap { restart in timeline.last { $0.at <= restart.at } }?.portsInUse ?? 0
        let wait = rounded((again?.at ?? 0) - (restart?.at ?? 0))
        return [
            stage(
                "churn",
                firstPoint(above: sustainable, over: .seconds(4), \.dialsPerSecond),
                "\(rounded(peakDials)) dials a second at most; one address sustains \(rounded(sustainable))",
                otherwise:
                    "dials stayed at \(rounded(peakDials)) a second; one address sustains \(rounded(sustainable))"
            ),
            stage(
                "exhaustion",
                timeline.first { $0.portsInUse >= capacity },
                "all \(grouped(capacity)) ports of one address taken",
                otherwise:
                    "\(grouped(timeline.map(\.portsInUse).max() ?? 0)) of \(grouped(capacity)) ports taken at most"
            ),
            stage(
                "log rate",
                timeline.first { $0.logLinesPerSecond > 100 },
                "\(rounded(peakLines)) error lines a second at most",
                otherwise: "\(rounded(peakLines)) error lines a second at most"
            ),
            stage(
                "threads",
                first.flatMap { first in timeline.first { $0.threads >= first.threads + 100 } },
                "\(grouped(peakThreads)) threads at most, from \(first?.threads ?? 0)",
                otherwise:
                    "\(grouped(peakThreads)) threads at most, from \(first?.threads ?? 0): no writer was blocked for long"
            ),
            stage(
                "memory",
                first.flatMap { first in timeline.first { $0.rssBytes >= 4 * first.rssBytes } },
                "\(grouped(peakMemory >> 20)) MiB at most, from \((first?.rssBytes ?? 0) >> 20)",
                otherwise: "\(grouped(peakMemory >> 20)) MiB at most, from \((first?.rssBytes ?? 0) >> 20)"
            ),
            CascadeStage(
                name: "death",
                happened: death != nil,
                at: death?.at,
                detail: death?.text ?? "the server did not crash"
            ),
            CascadeStage(
                name: "restart",
                happened: restart != nil,
                at: restart?.at,
                detail: restart?.text ?? "there was nothing to restart"
            ),
            stage(
                "re-exhaustion",
                left * 2 > capacity ? again : nil,
                "\(grouped(left)) ports of its predecessor still in TIME_WAIT; the new process failed within \(wait) s",
                otherwise: restart == nil
                    ? "no new process to fail"
                    : "the new process found \(grouped(capacity - left)) ports free"
                        + (again == nil ? "" : ", and had used them up \(wait) s later")
            ),
        ]
    }

    /// The first point at which a rate, averaged over the time before, is above a bound. In one pass: what is left on
    /// for a day has 172,800 points.
    private func firstPoint(
        above bound: Double,
        over window: Duration,
        _ rate: KeyPath<TimelinePoint, Double>
    ) -> TimelinePoint? {
        var (sum, oldest) = (0.0, 0)
        for (index, point) in timeline.enumerated() {
            sum += point[keyPath: rate]
            while point.at - timeline[oldest].at >= window.inSeconds {
                sum -= timeline[oldest][keyPath: rate]
                oldest += 1
            }
            if point.at >= window.inSeconds, sum / Double(index - oldest + 1) > bound { return point }
        }
        return nil
    }
}
