internal import Glibc
package import KernelProbe
package import LoadGenerator
internal import Memcached
internal import POSIX
package import Results
internal import Text
internal import Units

extension Environment {
    /// This machine as the calling thread sees it, after it has entered its network.
    package init(_ network: NetworkSetup, seed: UInt64, clients: [ClientSpec], arguments: [String]) {
        self.init(network.network, network.ports, seed: seed, clients: clients, arguments: arguments)
        sysctls = network.sysctls
    }

    /// The same for a network that was made elsewhere.
    package init(
        _ network: Network,
        _ ports: PortRange,
        seed: UInt64,
        clients: [ClientSpec],
        arguments: [String]
    ) {
        let release = (try? KernelFile.read("/proc/sys/kernel/osrelease")) ?? "unknown"
        self.init(
            kernel: String(release.prefix { $0 != "\n" }),
            cores: sysconf(CInt(_SC_NPROCESSORS_ONLN)),
            memcached: ProgramPath.onPath("memcached").flatMap { DaemonVersion.of($0) } ?? "unknown",
            libmemcached: LibraryVersion.running,
            network: network,
            portRange: [ports.lowestPort, ports.highestPort],
            tcpTwReuse: (try? Sysctl.read("net.ipv4.tcp_tw_reuse")) ?? "unknown",
            nofile: DescriptorLimit.current.hard,
            seed: seed,
            clients: clients.map(\.description),
            memoryLimit: nil,
            spiral: RunResult.currentSchema,
            arguments: arguments,
            date: CivilTime(secondsSince1970: Int64(RealTime.nanosecondsSince1970 / 1_000_000_000)).text
        )
        portSettings = (try? NamespaceSettings.current()).map { settings in
            PortSettings(
                reservedPorts: settings.range.reserved.text,
                twReuseDelayMs: settings.twReuseDelay.map { Int($0.inMilliseconds) },
                maxTwBuckets: settings.maxTimeWaitBuckets,
                autobindReuse: settings.autobindReuse
            )
        }
    }
}
