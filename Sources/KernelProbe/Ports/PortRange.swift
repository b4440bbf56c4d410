internal import Glibc
package import POSIX
internal import Units

/// The ports the kernel chooses among for a dial that names none: net.ipv4.ip_local_port_range without
/// net.ipv4.ip_local_reserved_ports. ip(7)
package struct PortRange: Sendable, Equatable {
    /// A closed connection's port is taken for this long on the side that closed first:
    /// TCP_TIMEWAIT_LEN, a constant of the kernel. include/net/tcp.h
    package static let timeWait = Duration.seconds(60)

    package let lowestPort: Int
    package let highestPort: Int
    /// Ports never chosen, inside the range or not.
    package let reserved: PortSet
    /// The ports that are chosen.
    package let usable: PortSet
    /// How many they are: what one source address has.
    package let ports: Int

    package init(lowestPort: Int, highestPort: Int, reserved: PortSet = PortSet()) {
        self.lowestPort = lowestPort
        self.highestPort = highestPort
        self.reserved = reserved
        usable = PortSet([UInt16(lowestPort)...UInt16(highestPort)]).subtracting(reserved)
        ports = usable.count
    }

    /// That of the calling thread's network namespace.
    /// - Throws: ``SystemCallError`` when it cannot be read.
    package static func current() throws(SystemCallError) -> PortRange {
        let name = "net.ipv4.ip_local_port_range"
        let bounds = try Sysctl.read(name).split(whereSeparator: { $0 == "\t" || $0 == " " }).compactMap { Int($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1], (0...65_535).contains(bounds[0]), bounds[1] <= 65_535 else {
            throw SystemCallError("read", on: name, errno: EBADMSG)
        }
        return PortRange(lowestPort: bounds[0], highestPort: bounds[1], reserved: NamespaceSettings.reservedPorts())
    }

    /// Reserved ports inside the range.
    package var reservedCount: Int { highestPort - lowestPort + 1 - ports }

    /// New connections a second that one source address sustains when each holds its port for 60 s.
    package var sustainableDialsPerSecond: Double { Double(ports) / Self.timeWait.inSeconds }
}
