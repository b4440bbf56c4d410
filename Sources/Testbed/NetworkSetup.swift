package import KernelProbe
package import POSIX
package import Results

/// The network a run has: a network namespace with its own ports and TIME_WAIT sockets, or the
/// host's network where that is asked for.
package struct NetworkSetup: Sendable {
    package let network: Environment.Network
    package let ports: PortRange
    package let memcachedPort: UInt16
    package let serverAddress: SocketAddress
    package let adminAddress: SocketAddress
    /// Kernel settings made for the run, as the kernel has them; nil where none were.
    package let sysctls: [String: String]?

    /// Enters it with the calling thread, and for threads and processes it starts from now on.
    /// - Parameters:
    ///   - portRange: narrows the ephemeral ports; nil leaves them. In a namespace only.
    ///   - twReuse: net.ipv4.tcp_tw_reuse; nil leaves it. In a namespace only.
    ///   - settings: kernel settings made after all others, in a namespace only.
    /// - Throws: ``TestbedError`` saying why, and what to do.
    package init(
        _ network: Environment.Network,
        portRange: PortRange?,
        twReuse: Int? = nil,
        sysctls settings: [NamespaceSysctl] = []
    ) throws(TestbedError) {
        self.network = network
        switch network {
        case .namespace:
            let outside = NamespaceSysctl.known(settings)
            do {
                try NetworkNamespace.enterNew()
            } catch {
                throw TestbedError(
                    "this machine lets \(error.call == "unshare" ? "no one but root" : "nobody") make a network namespace (\(error)); "
                        + "run it as root, or with --host-network"
                )
            }
            if let portRange {
                do {
                    try Sysctl.write(
                        "net.ipv4.ip_local_port_range",
                        "\(portRange.lowestPort) \(portRange.highestPort)"
                    )
                } catch {
                    throw TestbedError("the port range cannot be narrowed (\(error)); use --full-range")
                }
            }
            if let twReuse {
                do {
                    try Sysctl.write("net.ipv4.tcp_tw_reuse", "\(twReuse)")
                } catch {
                    throw TestbedError("net.ipv4.tcp_tw_reuse cannot be set (\(error))")
                }
            }
            // Every dial's TIME_WAIT must find room, or the kernel ends them early and nothing runs out.
            try? Sysctl.write("net.ipv4.tcp_max_tw_buckets", "1048576")
            // A short accept queue would turn lost ports into lost connects; older kernels do not
            // show the setting in a namespace, and 4,096 is what they have.
            try? Sysctl.write("net.core.somaxconn", "65535")
            for setting in settings {
                do throws(NamespaceSysctl.Refusal) {
                    try setting.write(outside: outside)
                } catch {
                    throw TestbedError("sysctls: \(error)")
                }
            }
            memcachedPort = 11211
            serverAddress = .ipv4(.loopback, port: 8080)
            adminAddress = .ipv4(.loopback, port: 8081)
        case .host:
            guard settings.isEmpty else {
                throw TestbedError(
                    "sysctls: \(settings[0].name) is set in a namespace of the run's own and nowhere else; leave out --host-network"
                )
            }
            memcachedPort = try Self.freePort()
            serverAddress = .ipv4(.loopback, port: try Self.freePort())
            adminAddress = .ipv4(.loopback, port: try Self.freePort())
        }
        do {
            ports = try PortRange.current()
            var values: [String: String] = [:]
            for setting in settings { values[setting.name] = try Sysctl.read(setting.name) }
            sysctls = values.isEmpty ? nil : values
        } catch {
            throw TestbedError("kernel settings cannot be read: \(error)")
        }
    }

    /// A port nobody listens on, below where ephemeral ports usually begin.
    private static func freePort() throws(TestbedError) -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20000..<32000)
            if (try? Socket.listening(on: .ipv4(.loopback, port: port), backlog: 1)) != nil { return port }
        }
        throw TestbedError("no free port between 20000 and 32000")
    }
}
