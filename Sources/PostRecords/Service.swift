package import FanOut
package import HTTP
package import KernelProbe
package import Telemetry

/// What endpoint and admin page share: the engine, and what watches it.
package struct Service: Sendable {
    package let engine: FanOutEngine
    package let log: ErrorLog
    package let clients = ClientTable()
    package let guards: LiveGuards
    /// Answers misses; nil where nothing does.
    package let store: RecordStore?
    /// Nil where the ports are nobody's concern: memcached on a unix socket, or a test.
    package let ports: PortWatch?
    /// Nil while no collector is set.
    package let traces: SpanExporter?
    package let bounds: ProcessBounds
    /// Of the listener for batches.
    package let connections: ServerCounters
    /// Batches that nobody waited for any more, by why.
    let cancellations = CounterFamily<Cancellation>()

    package init(
        engine: FanOutEngine,
        log: ErrorLog,
        guards: RequestGuards = RequestGuards(),
        store: RecordStore? = nil,
        ports: PortWatch? = nil,
        traces: SpanExporter? = nil,
        bounds: ProcessBounds = ProcessBounds(),
        connections: ServerCounters = ServerCounters()
    ) {
        self.engine = engine
        self.log = log
        self.guards = LiveGuards(guards)
        self.store = store
        self.ports = ports
        self.traces = traces
        self.bounds = bounds
        self.connections = connections
    }
}
