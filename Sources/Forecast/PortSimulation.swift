internal import DequeModule
package import KernelProbe
package import LoadGenerator
internal import Units

/// What becomes of the ports when batches are due as clients send them: each dial takes a port, and when its
/// connection closes the port is in TIME_WAIT. A batch is taken to dial all at once, and to be answered at once.
package struct PortSimulation: Sendable {
    /// Ports that can be taken at once: of one address, or of several together.
    package var ports: Int
    /// When a port is free again after its connection closed: after 60 s in TIME_WAIT, or when connect() may reuse it.
    package var reuse = TimeWaitReuse.never
    /// Idle connections kept; further ones close when their lookup is done.
    package var maxIdle: Int
    /// Lookups of a batch in flight at once; nil for all of them. Dials can be predicted for a limit up to
    /// ``maxIdle`` only: then the connections kept are enough.
    package var limit: Int?
    /// URIs that are asked for with one lookup: 1, or the chunk of a multiget.
    package var chunk = 1
    /// Hosts that batches go to in turn; what is simulated is the first.
    package var hosts = 1
    /// Connections that are there at the beginning.
    package var idle = 0
    /// Ports that rest already, and do for all of the time.
    package var resting = 0

    package init(ports: Int, maxIdle: Int, limit: Int? = nil) {
        self.ports = ports
        self.maxIdle = maxIdle
        self.limit = limit
    }

    /// What the simulated dials came to.
    package struct Outcome: Sendable, Codable, Equatable {
        /// Seconds until a dial finds no port; nil when each finds one.
        package var exhaustedAfter: Double?
        package var dials = 0
        package var failedDials = 0
        /// Ports taken at once, idle connections among them.
        package var portsPeak = 0
    }

    /// When a port is free again whose connection closed as soon as its batch was answered.
    private func freeAgain(closedAt due: Duration) -> Duration {
        switch reuse {
        case .never: due + PortRange.timeWait
        // The kernel counts whole milliseconds, and more of them than the setting must have passed.
        case .after(let delay): min(due + PortRange.timeWait, due + delay + .milliseconds(1))
        // Its seconds are taken to begin with the first batch.
        case .nextSecond: .seconds(due.components.seconds + 1)
        }
    }

    /// - Parameter duration: how long batches are due.
    package func run(_ clients: [ClientSpec], for duration: Duration) -> Outcome {
        let batches = clients.flatMap { client in
            let uris = (client.uris.lowerBound + client.uris.upperBound + 1) / 2
            let size = (uris + chunk - 1) / chunk
            return client.schedule.starts(within: duration).enumerated()
                .filter { $0.offset % hosts == 0 }
                .map { (due: $0.element, size: size) }
        }.sorted { $0.due < $1.due }
        var outcome = Outcome()
        var open = min(idle, ports)
        var held = resting
        var closed: Deque<(until: Duration, count: Int)> = []
        for batch in batches {
            while let first = closed.first, first.until <= batch.due {
                held -= first.count
                closed.removeFirst()
            }
            let wanted = max(0, min(batch.size, limit ?? .max) - open)
            let dialled = min(wanted, max(0, ports - held - open))
            outcome.dials += dialled
            outcome.failedDials += wanted - dialled
            outcome.portsPeak = max(outcome.portsPeak, held + open + dialled)
            if dialled < wanted, outcome.exhaustedAfter == nil { outcome.exhaustedAfter = batch.due.inSeconds }
            open += dialled
            let closing = max(0, open - maxIdle)
            if closing > 0 {
                closed.append((freeAgain(closedAt: batch.due), closing))
                held += closing
                open -= closing
            }
        }
        return outcome
    }
}
