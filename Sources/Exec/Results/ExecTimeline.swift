internal import POSIX

/// Dials and ports over time, in seconds since the command was started.
package struct ExecTimeline: Sendable, Codable {
    /// Connects within one step of time.
    package struct Dials: Sendable, Codable {
        package var at: Double
        package var perSecond: Double
    }

    /// Ports held in one step of time.
    package struct Ports: Sendable, Codable {
        package var at: Double
        /// Of the busiest source address.
        package var held: Int
        package var timeWait: Int
    }

    /// Empty where dials were not accounted for.
    package var dials: [Dials]
    /// Moments without a sample are left out.
    package var ports: [Ports]

    init(_ account: DialAccount?, _ peaks: PortPeaks, since beginning: MonotonicInstant) {
        let steps = account?.begun ?? TimeSteps()
        dials = steps.points(since: beginning).map { point in
            Dials(at: max(0, point.at), perSecond: Double(point.value?.count ?? 0) / steps.stepSeconds)
        }
        ports = peaks.history.points(since: beginning).compactMap { point in
            point.value.map { Ports(at: max(0, point.at), held: $0.held, timeWait: $0.timeWait) }
        }
    }
}
