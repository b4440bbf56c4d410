package import KernelProbe
package import POSIX
package import Text
internal import Units

/// One look at the ephemeral ports of a network namespace, as `spiral ports --json` writes it: a line of JSON.
package struct PortDocument: Codable, Sendable, Equatable {
    package static let currentSchema = "spiral-ports/2"

    /// What the namespace has set; null where this kernel has no such setting.
    package struct Namespace: Codable, Sendable, Equatable {
        /// Lowest and highest port of net.ipv4.ip_local_port_range.
        package var range: [Int]
        /// net.ipv4.ip_local_reserved_ports, as the kernel writes it.
        package var reserved: String
        /// Ports one source address has.
        package var capacity: Int
        @ExplicitNull package var twReuse: Int?
        @ExplicitNull package var twReuseDelayMs: Int?
        @ExplicitNull package var maxTwBuckets: Int?
        @ExplicitNull package var autobindReuse: Bool?
        /// Sockets in TIME_WAIT, both sides of connections.
        package var timeWait: Int
        /// Ports bind() chose, which no dial without a bind gets.
        package var boundPorts: Int
        /// Further ports that may be such.
        package var perhapsBoundPorts: Int
        /// New connections a second, of the kernel's own count.
        @ExplicitNull package var connectsPerSecond: Double?
    }

    /// Sums of all rows, those not written among them.
    package struct Totals: Codable, Sendable, Equatable {
        package var rows: Int
        package var sources: Int
        package var inUse: Int
        package var open: Int
        package var timeWait: Int
    }

    package var schema = PortDocument.currentSchema
    package var time: String
    package var namespace: Namespace
    package var rows: [PortFigures]
    package var totals: Totals
    package var sampleAgeSeconds: Double

    /// - Parameters:
    ///   - view: what is looked at, and how.
    ///   - time: of the wall clock, for the reader.
    /// - Returns: nil before the first look.
    package init?(_ trend: PortTrend, _ view: PortView, time: String, at now: MonotonicInstant) {
        guard let sample = trend.latest, let tick = trend.latestTick else { return nil }
        let settings = sample.use.settings
        self.time = time
        namespace = Namespace(
            range: [settings.range.lowestPort, settings.range.highestPort],
            reserved: settings.range.reserved.text,
            capacity: settings.range.ports,
            twReuse: settings.twReuse,
            twReuseDelayMs: settings.twReuseDelay.map { Int($0.inMilliseconds) },
            maxTwBuckets: settings.maxTimeWaitBuckets,
            autobindReuse: settings.autobindReuse,
            timeWait: tick.timeWait,
            boundPorts: sample.use.bound.held,
            perhapsBoundPorts: sample.use.perhapsBound,
            connectsPerSecond: trend.connectsPerSecond
        )
        rows = view.outlooks(trend).map { PortFigures($0) }
        totals = Totals(
            rows: sample.use.pairCount,
            sources: sample.use.sourceCount,
            inUse: sample.use.all.held,
            open: sample.use.all.open,
            timeWait: sample.use.all.timeWait
        )
        sampleAgeSeconds = max(0, (now - sample.taken).inSeconds)
    }
}
