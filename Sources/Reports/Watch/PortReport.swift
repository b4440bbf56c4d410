package import KernelProbe
internal import LoadGenerator
internal import POSIX
internal import Text
internal import Units

/// One look at a port budget, as `spiral ports` shows it.
package struct PortReport: Codable, Sendable {
    package struct Source: Codable, Sendable {
        package var address: String
        package var ports: Int
    }

    package var capacity: Int
    /// Ports of the range that the busiest source address holds.
    package var portsInUse: Int
    /// Sockets by state, under `ss`'s names.
    package var sockets: [String: Int]
    package var timeWait: Int
    package var established: Int
    package var sourceAddresses: Int
    package var busiestSources: [Source]
    /// Of the whole network namespace.
    package var dialsPerSecond: Double
    package var portsPerSecond: Double
    /// Dials a second that one source address bears for ever.
    package var sustainableDialsPerSecond: Double
    /// Nil when the ports do not run out at the present rate.
    package var secondsToExhaustion: Double?

    /// Nil before the first sample.
    package init?(_ trend: PortTrend) {
        guard let sample = trend.latest else { return nil }
        let survey = sample.survey
        capacity = sample.budget.ports
        portsInUse = survey.portsInUse
        sockets = Dictionary(survey.byState.map { ($0.state.name, $0.sockets) }, uniquingKeysWith: +)
        timeWait = survey.timeWait
        established = survey.established
        sourceAddresses = survey.sourceCount
        busiestSources = survey.busiestSources(5).map { Source(address: "\($0.address)", ports: $0.ports) }
        dialsPerSecond = trend.dialsPerSecond
        portsPerSecond = trend.portsPerSecond
        sustainableDialsPerSecond = sample.budget.sustainableDialsPerSecond
        secondsToExhaustion = trend.timeToExhaustion?.inSeconds
    }

    private static let columns = [
        ("ports in use", 15), ("%", 6), ("TIME-WAIT", 10), ("ESTAB", 7), ("sources", 8), ("dials/s", 9),
        ("ports/s", 9), ("exhausted in", 13),
    ]

    package static var header: String { columns.map { padded($0.0, $0.1) }.joined(separator: " ") }

    /// One line under ``header``.
    package var line: String {
        let exhausted =
            switch secondsToExhaustion {
            case nil: "never"
            case let seconds? where seconds <= 0: "now"
            case let seconds?: seconds < 120 ? "\(rounded(seconds)) s" : "\(rounded(seconds / 60)) min"
            }
        let cells = [
            "\(grouped(portsInUse))/\(grouped(capacity))",
            rounded(100 * Double(portsInUse) / Double(max(1, capacity))),
            grouped(timeWait), grouped(established), grouped(sourceAddresses), rounded(dialsPerSecond),
            rounded(portsPerSecond), exhausted,
        ]
        return zip(cells, Self.columns).map { Self.padded($0, $1.1) }.joined(separator: " ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
