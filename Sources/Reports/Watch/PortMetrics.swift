internal import KernelProbe
internal import POSIX
internal import Telemetry
internal import Units

/// A network namespace's ports in the Prometheus text format.
struct PortMetrics {
    private let watch: PortWatch
    private let view: PortView
    private let maxRows: Int

    /// - Parameter maxRows: rows that have samples of their own, the busiest ones: a bound for label values.
    init(_ watch: PortWatch, _ view: PortView, maxRows: Int) {
        self.watch = watch
        self.view = view
        self.maxRows = maxRows
    }

    func text(at now: MonotonicInstant) -> String {
        var page = PrometheusText()
        let trend = watch.current
        page.add(
            "spiral_ports_up",
            .gauge,
            help: "Whether the kernel answers.",
            watch.failure == nil && trend.latest != nil ? 1 : 0
        )
        guard let sample = trend.latest, let tick = trend.latestTick else { return page.text }
        page.add(
            "spiral_ports_sample_age_seconds",
            .gauge,
            help: "Since all sockets were looked at; figures are carried on from there by the kernel's counters.",
            [([], max(0, (now - sample.taken).inSeconds))]
        )
        // Nothing carries figures on while the kernel does not answer.
        guard watch.failure == nil else { return page.text }
        let outlooks = view.outlooks(trend)
        let shown = outlooks.prefix(maxRows).map { (labels: Self.labels($0.row), outlook: $0) }
        func add(_ name: String, help: String, _ value: (PortOutlook) -> Double?) {
            let samples = shown.compactMap { row in value(row.outlook).map { (labels: row.labels, value: $0) } }
            if !samples.isEmpty { page.add(name, .gauge, help: help, samples) }
        }
        add("spiral_ports_in_use", help: "Ephemeral ports held between source and destination.") { Double($0.inUse) }
        add("spiral_ports_source_in_use", help: "Ephemeral ports the source address holds, whatever the destination.") {
            Double($0.sourceInUse)
        }
        add("spiral_ports_free", help: "Ephemeral ports that the next dials can take, chosen as they are.") {
            Double($0.free)
        }
        add(
            "spiral_ports_capacity",
            help: "Ephemeral ports a source address has: ip_local_port_range without ip_local_reserved_ports."
        ) { Double($0.row.capacity) }
        add("spiral_ports_connects_per_second", help: "New connections a second.") { $0.connectsPerSecond }
        add(
            "spiral_ports_exhaustion_seconds",
            help: "Until a dial finds no port at the present rate; +Inf when each finds one."
        ) { $0.state == .unknown ? nil : $0.secondsLeft ?? .infinity }
        page.add(
            "spiral_ports_rows",
            .gauge,
            help: "Pairs of source and destination there are, and how many of them have samples.",
            [
                ([("shown", "no")], Double(sample.use.pairCount - shown.count)),
                ([("shown", "yes")], Double(shown.count)),
            ]
        )
        page.add(
            "spiral_ports_bound",
            .gauge,
            help: "Ephemeral ports that bind() chose: no dial without a bind gets them.",
            sample.use.bound.held
        )
        page.add(
            "spiral_ports_unbound_free",
            .gauge,
            help: "Ephemeral ports for a dial without a bind to a destination nobody is connected to.",
            sample.use.freeForNewPair
        )
        page.add(
            "spiral_ports_time_wait",
            .gauge,
            help: "Sockets in TIME_WAIT in the namespace; tcp_max_tw_buckets is the most there can be.",
            tick.timeWait
        )
        if let most = sample.use.settings.maxTimeWaitBuckets {
            page.add("spiral_ports_time_wait_max", .gauge, help: "net.ipv4.tcp_max_tw_buckets.", most)
        }
        page.add(
            "spiral_kernel_tcp_events_total",
            .counter,
            help: "The kernel's TCP counters of the network namespace, under nstat's names. TcpAttemptFails are "
                + "connects that were refused or timed out; those that found no port the kernel does not count.",
            [
                "TcpActiveOpens", "TcpAttemptFails", "TcpEstabResets", "TcpOutRsts", "TcpExtTW", "TcpExtTWRecycled",
                "TcpExtTCPTimeWaitOverflow", "TcpExtTCPTimeouts",
            ].map { ([("name", $0)], Double(tick.counters[$0])) }
        )
        return page.text
    }

    private static func labels(_ row: PortRow) -> [(name: String, value: String)] {
        [
            ("family", row.pair.destination.address.family.rawValue), ("source", "\(row.pair.source)"),
            ("destination", "\(row.pair.destination)"),
        ]
    }
}
