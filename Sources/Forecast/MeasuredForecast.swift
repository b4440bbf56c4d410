package import KernelProbe
internal import POSIX
package import Text
internal import Units

/// What becomes of a running program's ports, from what it does now.
package struct MeasuredForecast: Codable, Sendable, Equatable {
    package static let currentSchema = "spiral-predict/1"

    /// Ports of one kind, and what goes on in them.
    package struct Row: Codable, Sendable, Equatable {
        package var source: String
        /// One where connect() chooses ports; all that share the address's where bind() does.
        package var destinations: [String]
        package var portsInUse: Int
        /// Seconds from now until a dial finds no port; nil when each finds one, going on like this.
        @ExplicitNull package var exhaustedAfter: Double?
        package var state: PortState
        package var forecast: ConnectionForecast
    }

    package var schema = MeasuredForecast.currentSchema
    /// Seconds it was looked at.
    package var measuredSeconds: Double
    package var portRange: [Int]
    package var reservedPorts: String
    @ExplicitNull package var twReuse: Int?
    @ExplicitNull package var twReuseDelayMs: Int?
    @ExplicitNull package var maxTwBuckets: Int?
    /// The one that comes closest to its limit first.
    package var rows: [Row]

    /// - Parameters:
    ///   - outlooks: the rows that are the program's.
    ///   - seconds: how long the trend was fed.
    package init(_ outlooks: [PortOutlook], _ settings: NamespaceSettings, seconds: Double) {
        measuredSeconds = seconds
        portRange = [settings.range.lowestPort, settings.range.highestPort]
        reservedPorts = settings.range.reserved.text
        twReuse = settings.twReuse
        twReuseDelayMs = settings.twReuseDelay.map { Int($0.inMilliseconds) }
        maxTwBuckets = settings.maxTimeWaitBuckets
        // Rows whose ports bind() chose share their source's.
        let groups = Dictionary(grouping: outlooks) { outlook in
            outlook.row.choice == .connect
                ? "\(outlook.row.pair.source) \(outlook.row.pair.destination)" : "\(outlook.row.pair.source)"
        }
        rows = groups.values.map { Row($0, settings) }.sorted {
            ($0.forecast.utilisation, $0.source, $0.destinations.first ?? "")
                > ($1.forecast.utilisation, $1.source, $1.destinations.first ?? "")
        }
    }

    /// For people to read.
    package var lines: [String] {
        let sysctls = [
            "ip_local_port_range \(portRange.map(String.init).joined(separator: "-"))",
            reservedPorts.isEmpty ? nil : "ip_local_reserved_ports \(reservedPorts)",
            twReuse.map { "tcp_tw_reuse \($0)" }, twReuseDelayMs.map { "tcp_tw_reuse_delay \($0) ms" },
            maxTwBuckets.map { "tcp_max_tw_buckets \(grouped($0))" },
        ].compactMap { $0 }
        return ["measured     for \(rounded(measuredSeconds)) s: \(sysctls.joined(separator: ", "))"]
            + rows.flatMap { [""] + $0.lines }
    }
}

extension MeasuredForecast.Row {
    /// - Parameter outlooks: of one set of ports.
    init(_ outlooks: [PortOutlook], _ settings: NamespaceSettings) {
        let pair = outlooks[0].row.pair
        let isBound = outlooks[0].row.choice != .connect
        source = pair.source.description
        destinations = outlooks.map { $0.row.pair.destination }.sorted().map(\.description)
        portsInUse = outlooks.map(\.held).max() ?? 0
        exhaustedAfter = outlooks.compactMap(\.secondsLeft).min()
        state = outlooks[0].state
        let rate = outlooks.reduce(0) { $0 + ($1.connectsPerSecond ?? 0) }
        var question = ConnectionForecast.Question(perSecond: rate, ports: settings.range.ports)
        // So many open at so many a second: Little's law.
        question.open = rate > 0 ? Double(outlooks.reduce(0) { $0 + $1.row.open }) / rate : 0
        question.isBound = isBound
        question.maxTimeWait = settings.maxTimeWaitBuckets
        question.reuse = settings.reuse(from: pair.source, to: pair.destination.address)
        forecast = ConnectionForecast(question)
    }

    fileprivate var lines: [String] {
        let towards = destinations.prefix(3).joined(separator: ", ")
        let more = destinations.count > 3 ? " and \(grouped(destinations.count - 3)) more" : ""
        let now: String
        switch state {
        case .exhausted: now = "no port is left now"
        case .unknown: now = "how it goes on is not known"
        case .draining, .steady, .filling:
            now =
                exhaustedAfter.map { "the last port is taken in \(rounded($0)) s" }
                ?? "ports do not run out, going on like this"
        }
        return ["\(source) to \(towards)\(more): \(grouped(portsInUse)) ports now; \(now)"] + forecast.lines
    }
}
