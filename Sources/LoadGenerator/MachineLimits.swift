internal import KernelProbe
package import POSIX
internal import Text
internal import Units

/// What this machine has for connections.
package struct MachineLimits: Sendable, Equatable {
    package var descriptors: Int
    /// Nil where the kernel did not say.
    package var portsPerSource: Int?
    /// Addresses connections come from.
    package var sources: Int
    /// Of the target; a source address has as many ports with either.
    package var family: IPAddress.Family

    package init(descriptors: Int, portsPerSource: Int?, sources: Int, family: IPAddress.Family = .ipv4) {
        self.descriptors = descriptors
        self.portsPerSource = portsPerSource
        self.sources = sources
        self.family = family
    }

    /// - Parameters:
    ///   - sources: addresses connections come from.
    ///   - family: of the target.
    package static func current(sources: Int, family: IPAddress.Family = .ipv4) -> MachineLimits {
        MachineLimits(
            descriptors: DescriptorLimit.current.soft,
            // ip_local_port_range is that of both families. ip(7)
            portsPerSource: (try? PortRange.current())?.ports,
            sources: sources,
            family: family
        )
    }

    private var moreSources: String {
        switch family {
        case .ipv4: "use --source 127.1.0.0/16 for a target on this machine, or more addresses"
        case .ipv6: "use --source with an IPv6 network that is routed to this machine, as in fd00::/64"
        }
    }

    /// Descriptors a process has open beside its connections.
    private static let otherDescriptors = 16

    /// What is not enough for a load, each in one sentence.
    package func warnings(_ clients: [ClientSpec], timeout: Duration, maxInFlight: Int?) -> [String] {
        let needs = ConnectionNeeds(clients, timeout: timeout, maxInFlight: maxInFlight)
        let ports = portsPerSource.map { $0 * sources }
        var warnings: [String] = []
        if needs.minimum > descriptors - Self.otherDescriptors {
            warnings.append(
                "\(grouped(needs.minimum)) batches are in flight at once, each on a connection, and this process may have "
                    + "\(grouped(descriptors)) descriptors: raise ulimit -n, or use --max-in-flight"
            )
        }
        if let ports, needs.minimum > ports {
            warnings.append(
                "\(grouped(needs.minimum)) batches are in flight at once, each on a connection, and there are "
                    + "\(grouped(ports)) ephemeral ports: \(moreSources)"
            )
        }
        return warnings
    }

    /// What is not enough should the server stop answering; nil when there is enough for that too.
    package func notice(_ clients: [ClientSpec], timeout: Duration, maxInFlight: Int?) -> String? {
        let needs = ConnectionNeeds(clients, timeout: timeout, maxInFlight: maxInFlight)
        let limits =
            [(descriptors - Self.otherDescriptors, "descriptors")]
            + (portsPerSource.map { [($0 * sources, "ports")] } ?? [])
        guard let (limit, name) = limits.min(by: { $0.0 < $1.0 }), needs.maximum > limit else { return nil }
        return
            "should the server stop answering, up to \(grouped(needs.maximum)) batches are in flight before the timeout of "
            + "\(timeout.text) is over, and there are \(name) for \(grouped(max(0, limit)))"
    }
}

/// How many connections a load needs.
package struct ConnectionNeeds: Sendable, Equatable {
    /// Whatever the server does: what is due in one moment.
    package var minimum: Int
    /// When it answers nothing until the timeout is over.
    package var maximum: Int

    init(minimum: Int, maximum: Int) {
        self.minimum = minimum
        self.maximum = maximum
    }

    package init(_ clients: [ClientSpec], timeout: Duration, maxInFlight: Int?) {
        minimum = 0
        maximum = 0
        for client in clients {
            let together: Int
            var stalled: Double
            switch client.schedule.arrival {
            case .closed(let batches):
                together = batches
                stalled = Double(batches)
            case .burst(let batches, let period):
                together = batches
                stalled = Double(batches) * max(1, (timeout.inSeconds / period.inSeconds).rounded(.up))
            case .ramp(let from, let to):
                together = 1
                stalled = max(from, to) * timeout.inSeconds
            case .steps(let steps):
                together = 1
                stalled = (steps.map(\.rate.perSecond).max() ?? 0) * timeout.inSeconds
            case .constant(let rate), .poisson(let rate):
                together = 1
                stalled = rate.perSecond * timeout.inSeconds
            case .recorded(let batches):
                together = 1
                stalled = Double(batches)
            }
            stalled = min(max(stalled.rounded(.up), Double(together)), 1e15)
            minimum += min(together, maxInFlight ?? .max)
            maximum += min(Int(stalled), maxInFlight ?? .max)
        }
    }
}
