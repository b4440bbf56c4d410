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

    /// The connections of one source address to one destination.
    package struct Row: Codable, Sendable, Equatable {
        package var family: String
        package var source: String
        package var destination: String
        /// Ports the row holds: open and timeWait, each carried on from the last look.
        package var inUse: Int
        package var capacity: Int
        package var open: Int
        package var timeWait: Int
        /// Ports the source address holds, whatever the destination.
        package var sourceInUse: Int
        /// Ports that the row's next dials can take.
        package var free: Int
        /// Ports in TIME_WAIT that connect() may take again already.
        package var reusable: Int
        /// Ports of others that bind() chose.
        package var blocked: Int
        /// Who chose the row's ports: bind, connect, both or unknown.
        package var chosenBy: PortChoice
        @ExplicitNull package var connectsPerSecond: Double?
        @ExplicitNull package var secondsLeft: Double?
        package var state: PortState
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
    package var rows: [Row]
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
        rows = view.outlooks(trend).map { Row($0) }
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

extension PortDocument.Row {
    init(_ outlook: PortOutlook) {
        let row = outlook.row
        family = row.pair.destination.address.family.rawValue
        source = row.pair.source.description
        destination = row.pair.destination.description
        inUse = outlook.inUse
        capacity = row.capacity
        open = min(row.open, outlook.inUse)
        timeWait = outlook.inUse - open
        sourceInUse = outlook.sourceInUse
        free = outlook.free
        reusable = row.reusable
        blocked = row.blocked
        chosenBy = row.choice
        connectsPerSecond = outlook.connectsPerSecond
        secondsLeft = outlook.secondsLeft
        state = outlook.state
    }
}
