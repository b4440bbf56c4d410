internal import FanOut
internal import KernelProbe
internal import Limits
internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// `/metrics`: what the server counted and the kernel said, in the Prometheus text format.
/// Names after prometheus.io/docs/practices/naming.
struct MetricsPage {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private typealias Labels = [(name: String, value: String)]
    private typealias Samples = [(labels: Labels, value: Double)]

    var page = PrometheusText()

    static func text(_ service: Service, _ settings: Settings) -> String {
        var metrics = MetricsPage()
        metrics.addLookups(service.engine)
        metrics.addSettings(
            settings,
            limit: service.engine.currentBound,
            refusals: service.engine.counters.refusals.values
        )
        metrics.addClients(service.clients)
        metrics.addLog(service.log)
        if let ports = service.ports { metrics.addPorts(ports) }
        if let traces = service.traces { metrics.addTraces(traces) }
        metrics.addBounds(service)
        metrics.addProcess()
        return metrics.page.text
    }

    private mutating func addLookups(_ engine: FanOutEngine) {
        let counters = engine.counters
        page.add(
            "spiral_lookups_total",
            .counter,
            help: "Lookups answered or failed, by outcome, failing call and error name.",
            [
                (Self.outcome("hit"), Double(counters.hits.value)),
                (Self.outcome("miss"), Double(counters.misses.value)),
                (Self.outcome("unreadable"), Double(counters.unreadable.value)),
            ] + Self.sorted(counters.errors.values.map { (Self.failure($0.key), Double($0.value)) })
        )
        page.add(
            "spiral_lookup_retries_total",
            .counter,
            help:
                "Further attempts of lookups whose dial or connection failed; of each lookup only its last attempt is counted.",
            counters.retries.value
        )
        page.add(
            "spiral_duplicate_uris_total",
            .counter,
            help: "URIs answered without a lookup, as their batch had them before.",
            counters.duplicates.value
        )
        page.add(
            "spiral_writebacks_total",
            .counter,
            help: "Records set back into memcached after a miss, by outcome, failing call and error name.",
            [(Self.outcome("ok"), Double(counters.writeBacks.value))]
                + Self.sorted(counters.writeBackErrors.values.map { (Self.failure($0.key), Double($0.value)) })
        )
        page.add(
            "spiral_dials_total",
            .counter,
            help: "Connections dialled to memcached, by dialer, outcome, failing call and error name.",
            Self.sorted(
                counters.dials.values.map { ([("dialer", $0.key)] + Self.outcome("ok"), Double($0.value)) }
                    + counters.dialErrors.values.map {
                        ([("dialer", $0.key.dialer)] + Self.failure($0.key.failure), Double($0.value))
                    }
            )
        )
        page.add("spiral_batches_total", .counter, help: "Batches that reached the fan-out.", counters.batches.value)
        page.add(
            "spiral_lookups_in_flight",
            .gauge,
            help: "Lookups issued and not yet answered.",
            counters.inFlight.value
        )
        page.add(
            "spiral_open_connections",
            .gauge,
            help: "Connections to memcached that are open or being dialled.",
            engine.openConnections
        )
        page.add(
            "spiral_lookups_waiting",
            .gauge,
            help: "Lookups and write-backs that wait for a connection, as max-open are open.",
            engine.waitingForConnection
        )
        page.add(
            "spiral_idle_connections",
            .gauge,
            help: "Connections to memcached waiting in the pool.",
            engine.idleConnections
        )
    }

    private mutating func addSettings(
        _ settings: Settings,
        limit: Int?,
        refusals: [Overload.Reason: Int]
    ) {
        let labels = Settings.names.map { name in
            (name: String(name.map { $0 == "-" ? "_" : $0 }), value: settings[name]!)
        }
        page.add("spiral_settings_info", .gauge, help: "The settings in force, as labels.", [(labels, 1)])
        page.add(
            "spiral_limit",
            .gauge,
            help: "Lookups the limit admits at once; +Inf without one.",
            [([], limit.map(Double.init) ?? .infinity)]
        )
        page.add(
            "spiral_batches_refused_total",
            .counter,
            help: "Batches that were not looked up, by the guard that refused them.",
            Overload.Reason.allCases.map { ([(name: "reason", value: $0.rawValue)], Double(refusals[$0] ?? 0)) }
        )
    }

    private mutating func addClients(_ table: ClientTable) {
        let clients = table.ranking.map { (labels: [(name: "client", value: $0.name)], account: $0, totals: $0.totals) }
        page.add(
            "spiral_client_uris_total",
            .counter,
            help: "URIs asked for, by caller.",
            clients.map { ($0.labels, Double($0.totals.uris)) }
        )
        page.add(
            "spiral_client_lookup_errors_total",
            .counter,
            help: "Failed lookups, by caller and error name.",
            clients.flatMap { client in
                client.totals.errors.sorted { $0.key < $1.key }
                    .map { (client.labels + [("error", $0.key)], Double($0.value)) }
            }
        )
        page.add(
            "spiral_client_lookups_unreadable_total",
            .counter,
            help: "Lookups whose value in memcached is no record, by caller.",
            clients.map { ($0.labels, Double($0.totals.unreadable)) }
        )
        page.add(
            "spiral_client_lookups_in_flight",
            .gauge,
            help: "Lookups issued and not yet answered, by caller.",
            clients.map { ($0.labels, Double($0.account.inFlight.value)) }
        )
        page.add("spiral_batch_uris", help: "URIs in a batch, by caller.", clients.map { ($0.labels, $0.totals.sizes) })
        page.add(
            "spiral_batch_duration_seconds",
            help: "From a batch's request, read whole, to its answer, by caller.",
            clients.map { ($0.labels, $0.totals.latencies) }
        )
    }

    private mutating func addLog(_ log: ErrorLog) {
        let counts = log.counts
        page.add(
            "spiral_log_lines_total",
            .counter,
            help: "Error lines by what became of them; mode is the one in force now.",
            [("written", counts.written), ("dropped", counts.dropped), ("suppressed", counts.suppressed)]
                .map { ([("outcome", $0.0)], Double($0.1.value)) }
        )
        page.add(
            "spiral_log_notices_total",
            .counter,
            help: "Lines of log mode sampled that say how many error lines were left out.",
            counts.notices.value
        )
        page.add(
            "spiral_log_lines_waiting",
            .gauge,
            help: "Error lines that a failed lookup waits for, blocked in write(2) or queued behind it.",
            counts.waiting.value
        )
        page.add(
            "spiral_log_errors_total",
            .counter,
            help: "Errors that log mode metrics counted instead of writing lines, by kind.",
            Self.sorted(log.tally.map { ([("kind", $0.key)], Double($0.value.count)) })
        )
    }

    private mutating func addPorts(_ watch: PortWatch) {
        let trend = watch.current
        guard let sample = trend.latest, let tick = trend.latestTick else { return }
        page.add(
            "spiral_ports_sample_age_seconds",
            .gauge,
            help: "Since all sockets were looked at; figures are carried on from there by the kernel's counters.",
            [([], trend.age(at: .now)?.inSeconds ?? 0)]
        )
        // Nothing carries figures on while the kernel does not answer.
        guard watch.failure == nil else { return }
        let totals = watch.destinationPorts.compactMap { sample.use.destinations[$0] }
        page.add(
            "spiral_memcached_sockets",
            .gauge,
            help: "Sockets towards memcached, by TCP state.",
            TCPState.allCases.filter { $0 != .newSynReceived && $0 != .listen }
                .map { state in ([("state", state.name)], Double(totals.reduce(0) { $0 + $1[state] })) }
        )
        page.add(
            "spiral_source_addresses",
            .gauge,
            help: "Source addresses that hold ports towards memcached.",
            totals.reduce(0) { $0 + $1.sources }
        )
        let outlooks = trend.outlooks.filter { watch.destinationPorts.contains($0.row.pair.destination.port) }
        let busiest = outlooks.first
        let capacity = sample.use.settings.range.ports
        page.add(
            "spiral_ports_in_use",
            .gauge,
            help: "Ephemeral ports that the busiest way to memcached holds: of its source address where that is bound, "
                + "of source and destination otherwise.",
            busiest?.held ?? 0
        )
        page.add(
            "spiral_ports_free",
            .gauge,
            help: "Ephemeral ports that the next dials of the busiest way to memcached can take.",
            busiest?.free ?? sample.use.freeForNewPair
        )
        page.add(
            "spiral_ports_capacity",
            .gauge,
            help: "Ephemeral ports one source address has: ip_local_port_range without ip_local_reserved_ports.",
            capacity
        )
        // What is not known has no sample, as nothing that could be written would be true. Ports of a row that is known run
        // out no later for one that is not.
        let soonest = outlooks.compactMap(\.secondsLeft).min()
        if soonest != nil || !outlooks.contains(where: { $0.state == .unknown }) {
            page.add(
                "spiral_ports_exhaustion_seconds",
                .gauge,
                help: "Until some way to memcached has no port left at the present rate; +Inf when none runs out.",
                [([], soonest ?? .infinity)]
            )
        }
        page.add(
            "spiral_kernel_tcp_events_total",
            .counter,
            help: "The kernel's TCP counters of this network namespace, under nstat's names.",
            [
                "TcpActiveOpens", "TcpAttemptFails", "TcpOutRsts", "TcpExtTW", "TcpExtTWRecycled",
                "TcpExtTCPTimeWaitOverflow", "TcpExtListenOverflows", "TcpExtListenDrops",
            ].map { ([("name", $0)], Double(tick.counters[$0])) }
        )
    }

    private mutating func addTraces(_ traces: SpanExporter) {
        page.add(
            "spiral_spans_total",
            .counter,
            help: "Spans by what became of them.",
            [
                ([("outcome", "exported")], Double(traces.exported.value)),
                ([("outcome", "dropped")], Double(traces.dropped.value)),
            ]
        )
    }

    private mutating func addProcess() {
        if let status = try? ProcessStatus.read() {
            page.add("process_threads", .gauge, help: "Threads of the process.", status.threads)
            page.add(
                "process_resident_memory_bytes",
                .gauge,
                help: "Resident memory of the process.",
                status.residentBytes
            )
            page.add("process_open_fds", .gauge, help: "Open descriptors of the process.", status.openDescriptors)
            page.add("process_max_fds", .gauge, help: "Descriptors the process may open.", status.descriptorLimit)
        }
        if let memory = CgroupMemory.current() {
            page.add("spiral_cgroup_memory_bytes", .gauge, help: "Memory charged to the cgroup.", memory.usedBytes)
            page.add(
                "spiral_cgroup_memory_limit_bytes",
                .gauge,
                help: "The cgroup's memory limit; +Inf without one.",
                [([], memory.limitBytes.map(Double.init) ?? .infinity)]
            )
        }
    }

    private static func outcome(_ value: String) -> Labels {
        [("outcome", value), ("call", ""), ("error", "")]
    }

    private static func failure(_ failure: FanOutCounters.Failure) -> Labels {
        [("outcome", "error"), ("call", failure.step.rawValue), ("error", failure.name)]
    }

    private static func sorted(_ samples: Samples) -> Samples {
        samples.sorted { $0.labels.map(\.value).lexicographicallyPrecedes($1.labels.map(\.value)) }
    }
}
