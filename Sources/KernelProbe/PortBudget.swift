package import POSIX

/// The arithmetic of ephemeral ports: how many there are for one source and destination address,
/// how long each stays taken, and what dial rate that bears. ip(7), tcp(7)
package struct PortBudget: Sendable, Equatable {
    /// A closed connection's port is taken for this long on the side that closed first:
    /// TCP_TIMEWAIT_LEN, a constant of the kernel.
    package static let timeWait = Duration.seconds(60)

    package var lowestPort: Int
    package var highestPort: Int

    package init(lowestPort: Int, highestPort: Int) {
        self.lowestPort = lowestPort
        self.highestPort = highestPort
    }

    /// The range of the calling thread's network namespace. net.ipv4.ip_local_port_range
    /// - Throws: ``SystemCallError`` when it cannot be read.
    package static func current() throws(SystemCallError) -> PortBudget {
        let bounds = try Sysctl.read("net.ipv4.ip_local_port_range")
            .split(whereSeparator: { $0 == "\t" || $0 == " " })
            .compactMap { Int($0) }
        return PortBudget(lowestPort: bounds[0], highestPort: bounds[1])
    }

    /// Ports in the range, both ends included.
    package var ports: Int { highestPort - lowestPort + 1 }

    /// Dials a second that one pair of addresses bears for ever.
    package var sustainableDialsPerSecond: Double { Double(ports) / 60 }
}
