internal import HTTP
internal import Telemetry

/// What requests take of the process, beside what they may.
extension MetricsPage {
    mutating func addBounds(_ service: Service) {
        let connections = service.connections
        page.add(
            "spiral_http_connections",
            .gauge,
            help: "Connections of callers that are open.",
            connections.connections
        )
        page.add(
            "spiral_http_connections_closed_total",
            .counter,
            help:
                "Connections of callers that the server closed, by why: too many were open, the caller was too slow, or "
                + "it left before its answer and its batch was cancelled.",
            [
                ("turned-away", connections.turnedAway), ("too-slow", connections.timedOut),
                ("abandoned", connections.abandoned),
            ].map { ([(name: "reason", value: $0.0)], Double($0.1)) }
        )
        let cancellations = service.cancellations.values
        page.add(
            "spiral_batches_cancelled_total",
            .counter,
            help: "Batches that nobody waited for any more, by why; lookups not begun are counted as CANCELLED.",
            Cancellation.allCases.map { ([(name: "reason", value: $0.rawValue)], Double(cancellations[$0] ?? 0)) }
        )
        addAllowance(
            "spiral_held_bytes",
            help: "Bytes of requests and answers that are held.",
            service.bounds.heldBytes
        )
        addAllowance(
            "spiral_held_batches",
            help: "Batches that are waiting, looked up or answered.",
            service.bounds.batches
        )
    }

    private mutating func addAllowance(_ name: String, help: String, _ allowance: Allowance) {
        page.add(name, .gauge, help: help, allowance.value)
        page.add(
            "\(name)_limit",
            .gauge,
            help: "How many there may be; +Inf for any number.",
            [([], allowance.limit.map(Double.init) ?? .infinity)]
        )
    }
}
