internal import FanOut
internal import KernelProbe
internal import Memcached
internal import Telemetry

/// `/metrics`: what the server counted, in the Prometheus text format.
enum MetricsPage {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func text(_ engine: FanOutEngine, _ log: ErrorLog) -> String {
        let counters = engine.counters
        var page = PrometheusText()
        page.add(
            "spiral_lookups_total",
            .counter,
            help: "Lookups answered or failed, by outcome, failing call and error name.",
            [
                (outcome("hit"), Double(counters.hits.value)),
                (outcome("miss"), Double(counters.misses.value)),
            ] + failures(counters.errors, [("outcome", "error")])
        )
        page.add(
            "spiral_writebacks_total",
            .counter,
            help: "Records set back into memcached after a miss, by outcome, failing call and error name.",
            [(outcome("ok"), Double(counters.writeBacks.value))]
                + failures(counters.writeBackErrors, [("outcome", "error")])
        )
        page.add(
            "spiral_dials_total",
            .counter,
            help: "Connections dialled to memcached, by outcome, failing call and error name.",
            [(outcome("ok"), Double(counters.dials.value))] + failures(counters.dialErrors, [("outcome", "error")])
        )
        page.add("spiral_batches_total", .counter, help: "Batches that reached the fan-out.", counters.batches.value)
        page.add(
            "spiral_lookups_in_flight",
            .gauge,
            help: "Lookups issued and not yet answered.",
            counters.inFlight.value
        )
        page.add(
            "spiral_idle_connections",
            .gauge,
            help: "Connections to memcached waiting in the pool.",
            engine.idleConnections
        )
        page.add(
            "spiral_log_lines_total",
            .counter,
            help: "Error lines by what became of them.",
            [
                ([("fate", "written")], Double(log.written.value)),
                ([("fate", "dropped")], Double(log.dropped.value)),
            ]
        )
        if let status = try? ProcessStatus.read() {
            page.add("process_threads", .gauge, help: "Threads of the process.", status.threads)
            page.add(
                "process_resident_memory_bytes",
                .gauge,
                help: "Resident memory of the process.",
                status.residentBytes
            )
        }
        return page.text
    }

    private static func outcome(_ value: String) -> [(name: String, value: String)] {
        [("outcome", value), ("call", ""), ("error", "")]
    }

    private static func failures(
        _ family: CounterFamily<FanOutCounters.Failure>,
        _ labels: [(name: String, value: String)]
    ) -> [(labels: [(name: String, value: String)], value: Double)] {
        family.values.map { failure, count in
            (labels + [("call", failure.step.rawValue), ("error", failure.name)], Double(count))
        }
        .sorted { $0.labels.map(\.value).lexicographicallyPrecedes($1.labels.map(\.value)) }
    }
}
