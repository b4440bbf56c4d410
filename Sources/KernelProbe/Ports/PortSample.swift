package import POSIX

/// What the kernel's own sums say of a network namespace at one moment: two small files, whatever is open.
package struct PortTick: Sendable {
    package var taken: MonotonicInstant
    package var counters: TCPCounters
    /// Sockets in TIME_WAIT of the namespace, both sides of connections. /proc/net/sockstat
    package var timeWait: Int

    package init(taken: MonotonicInstant, counters: TCPCounters, timeWait: Int) {
        self.taken = taken
        self.counters = counters
        self.timeWait = timeWait
    }

    /// Of the calling thread's network namespace.
    /// - Throws: ``SystemCallError`` when it cannot be read.
    package static func take() throws(SystemCallError) -> PortTick {
        PortTick(
            taken: .now,
            counters: try TCPCounters.current(),
            timeWait: try SocketSummary.current().timeWait
        )
    }

    /// connect() calls that found a port so far. TcpActiveOpens
    var connects: Int { counters["TcpActiveOpens"] }

    /// Sockets that have been in TIME_WAIT so far, of both sides: those that are, that their timer ended, and that were
    /// taken again.
    var timeWaits: Int {
        timeWait + counters["TcpExtTW"] + counters["TcpExtTWRecycled"] + counters["TcpExtTWKilled"]
    }
}

/// One look at all of a network namespace's ports: the whole list of its sockets.
package struct PortSample: Sendable {
    package var use: PortUse
    package var tick: PortTick

    package init(use: PortUse, tick: PortTick) {
        self.use = use
        self.tick = tick
    }

    package var taken: MonotonicInstant { use.taken }

    /// Of the calling thread's network namespace.
    /// - Parameters:
    ///   - trend: what was seen before.
    ///   - boundOnly: see ``SocketDiagnostics/table(of:boundOnly:)``.
    /// - Throws: ``SystemCallError``
    package static func take(
        after trend: PortTrend = PortTrend(),
        boundOnly: Bool = true
    ) throws(SystemCallError) -> PortSample {
        let settings = try NamespaceSettings.current()
        var tick = try PortTick.take()
        let table = try SocketDiagnostics.table(of: settings.range, boundOnly: boundOnly)
        // Sockets are listed one after the other: on average, in the middle of it.
        tick.taken = tick.taken + (MonotonicInstant.now - tick.taken) / 2
        let use = PortUse(table, settings, taken: tick.taken, knowledge: trend.knowledge())
        return PortSample(use: use, tick: tick)
    }
}
