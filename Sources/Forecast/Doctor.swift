internal import FanOut
internal import Glibc
package import KernelProbe
package import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
package import Results
internal import Text
internal import Units

/// Looks at what this machine allows, and says what that means for reproducing the incident.
package struct Doctor: Sendable {
    /// The load that is planned.
    package var clients: [ClientSpec]
    /// Idle connections the server keeps.
    package var maxIdle: Int
    /// The port range of the run; nil for the machine's own.
    package var portRange: PortRange?
    package var network: Environment.Network

    package init(clients: [ClientSpec], maxIdle: Int = 2, portRange: PortRange?, network: Environment.Network) {
        self.clients = clients
        self.maxIdle = maxIdle
        self.portRange = portRange
        self.network = network
    }

    /// Everything that was looked at, in order.
    package func examine() -> [Finding] {
        var findings = [memcached, libmemcached, namespaces, descriptors]
        findings += [lanes, ports, timeWaitReuse, timeWaitBuckets, autobindReuse, timeWaitHere, acceptQueue].compactMap
        { $0 }
        findings.append(prediction)
        return findings
    }

    private var largestBatch: Int { clients.map(\.uris.upperBound).max() ?? 0 }

    private var memcached: Finding {
        guard let path = ProgramPath.onPath("memcached") else {
            return Finding(
                "memcached",
                "not installed",
                .bad,
                "there is nothing to look posts up in",
                advice: "apt-get install memcached"
            )
        }
        return Finding(
            "memcached",
            "\(DaemonVersion.of(path) ?? "unknown") (\(path))",
            .good,
            "the demo starts its own"
        )
    }

    private var libmemcached: Finding {
        let version = LibraryVersion.running
        guard LibraryVersion.isNew(version) else {
            return Finding(
                "libmemcached",
                version,
                .bad,
                "before 1.1.4 a failed dial is reported as another error",
                advice: "install libmemcached 1.1.4 or later (Debian 12, Ubuntu 24.04)"
            )
        }
        return Finding("libmemcached", version, .good, "connection errors carry the kernel's errno")
    }

    private var namespaces: Finding {
        if network == .host, NamespaceRefusal.isInContainer {
            return Finding(
                "network",
                "the container's own, unless it was started with --network host",
                .good,
                "its TIME_WAIT sockets end with it"
            )
        }
        if network == .host {
            return Finding(
                "network",
                "the host's own",
                .notice,
                "other programs on this machine lose their ports along with the demo, for a minute after it too",
                advice: "leave out --host-network where namespaces are permitted"
            )
        }
        let user = geteuid() == 0 ? "as root" : "in a user namespace"
        guard NetworkNamespace.isPermitted() else {
            let refusal = NamespaceRefusal.here
            return Finding(
                "network namespaces",
                refusal.reason,
                .bad,
                "the demo cannot have ports of its own",
                advice: refusal.advice
            )
        }
        return Finding(
            "network namespaces",
            "permitted, \(user)",
            .good,
            "nothing on this machine is changed or used up"
        )
    }

    private var descriptors: Finding {
        let limit = DescriptorLimit.current.hard
        let value = "\(grouped(limit)) descriptors a process (hard limit)"
        guard limit >= 64 else {
            return Finding(
                "nofile",
                value,
                .bad,
                "the server's own files and those it keeps free leave none to dial with",
                advice: "ulimit -Hn \(largestBatch + 96) as root before starting"
            )
        }
        // Lanes, listeners, callers' connections and logs besides the lookups, and what dials leave free.
        let needed = largestBatch + 96
        guard limit < needed else {
            return Finding("nofile", value, .good, "a batch of \(grouped(largestBatch)) lookups fits at once")
        }
        return Finding(
            "nofile",
            value,
            .notice,
            "of \(grouped(largestBatch)) lookups at once, up to \(grouped(needed - limit)) will fail with EMFILE; that is counted, not hidden",
            advice: "ulimit -Hn \(needed) as root before starting, for a run without them"
        )
    }

    /// As many as a run starts its own with, unless the scenario says otherwise.
    private static let memcachedThreads = 2

    private var lanes: Finding {
        let cores = sysconf(CInt(_SC_NPROCESSORS_ONLN))
        let count = FanOutEngine.standardLaneCount(cores: cores, memcachedThreads: Self.memcachedThreads)
        return Finding(
            "lanes",
            "\(count) of up to \(FanOutEngine.laneCounts.upperBound)",
            .good,
            "the server's threads that issue and collect lookups, on \(cores) cores beside \(Self.memcachedThreads) threads of memcached; --lanes changes it"
        )
    }

    private var budget: PortRange? { portRange ?? (try? PortRange.current()) }

    private var ports: Finding {
        guard let budget else {
            return Finding("ports", "unknown", .bad, "/proc/sys/net cannot be read", advice: "mount /proc")
        }
        let own = portRange == nil ? "this machine's range" : "narrowed for the run"
        guard budget.ports > 0 else {
            return Finding(
                "ports",
                "0 (all of \(budget.lowestPort)-\(budget.highestPort) are in ip_local_reserved_ports)",
                .bad,
                "every dial fails at once",
                advice: "widen net.ipv4.ip_local_port_range, or reserve fewer ports"
            )
        }
        return Finding(
            "ports",
            "\(grouped(budget.ports)) (\(budget.lowestPort)-\(budget.highestPort)\(reserved(budget)), \(own))",
            .good,
            "one source address sustains \(rounded(budget.sustainableDialsPerSecond)) new connections a second: each port is in TIME_WAIT for 60 s"
        )
    }

    private func reserved(_ range: PortRange) -> String {
        range.reservedCount > 0 ? " without \(grouped(range.reservedCount)) in ip_local_reserved_ports" : ""
    }

    private var namespace: NamespaceSettings? { try? .current() }

    private var timeWaitReuse: Finding {
        guard let namespace, let value = namespace.twReuse else {
            return Finding(
                "tcp_tw_reuse",
                "unknown",
                .good,
                "the kernel does not say whether it reuses TIME_WAIT ports"
            )
        }
        let delay = namespace.twReuseDelay.map { "after \($0.text)" } ?? "at the next second"
        let over = value == 2 ? "on loopback " : ""
        return Finding(
            "tcp_tw_reuse",
            "\(value)" + (namespace.twReuseDelay.map { ", tcp_tw_reuse_delay \($0.text)" } ?? ""),
            .good,
            value == 0
                ? "connect() fails with EADDRNOTAVAIL once the range is full"
                : "\(over)connect() reuses ports \(delay); bind() to an address does not, and fails with EADDRINUSE"
        )
    }

    /// A run in a namespace of its own raises it.
    private var timeWaitBuckets: Finding? {
        guard network == .host, let most = namespace?.maxTimeWaitBuckets, let budget else { return nil }
        guard most < budget.ports else {
            return Finding("tcp_max_tw_buckets", grouped(most), .good, "every port can be in TIME_WAIT at once")
        }
        return Finding(
            "tcp_max_tw_buckets",
            grouped(most),
            .notice,
            "connections beyond so many close without TIME_WAIT: the ports of a range of \(grouped(budget.ports)) do not run out",
            advice:
                "sysctl net.ipv4.tcp_max_tw_buckets=\(max(131_072, 4 * budget.ports)) as root, or leave out --host-network"
        )
    }

    /// Said where it is not the default.
    private var autobindReuse: Finding? {
        guard network == .host, namespace?.autobindReuse == true else { return nil }
        return Finding(
            "ip_autobind_reuse",
            "1",
            .notice,
            "bind() shares ports between sockets with SO_REUSEADDR: a program with it does not run out, as the incident's did",
            advice: "sysctl net.ipv4.ip_autobind_reuse=0 as root, for the default"
        )
    }

    private var timeWaitHere: Finding {
        let count = (try? SocketDiagnostics.survey(towardsPort: nil).timeWait) ?? 0
        guard network == .host else {
            return Finding(
                "TIME_WAIT here",
                grouped(count),
                .good,
                "they are the host's; the run begins with none of its own"
            )
        }
        return Finding(
            "TIME_WAIT here",
            grouped(count),
            count > 1000 ? .notice : .good,
            "these ports are taken before the run begins",
            advice: count > 1000 ? "wait a minute" : ""
        )
    }

    private var acceptQueue: Finding {
        let value = (try? Sysctl.read("net.core.somaxconn")) ?? "unknown"
        return Finding(
            "somaxconn",
            value,
            .good,
            "dials that memcached has not accepted yet queue up to this many; beyond it they wait a second and time out"
        )
    }

    /// When the ports run out under the planned load, with no limit.
    private var prediction: Finding {
        let load = clients.map(\.description).joined(separator: " ")
        if budget?.ports == 0 {
            return Finding("prediction", "the ports run out at once", .good, "there are none: see ports")
        }
        guard let forecast = portForecast, let time = forecast.exhaustedAfter else {
            return Finding(
                "prediction",
                "the ports never run out",
                .notice,
                "\(load) dials \(rounded(portForecast?.dialsPerSecond ?? 0)) times a second, which the range sustains",
                advice: "send larger batches or more of them, or narrow the range"
            )
        }
        // A batch dials all at once: the range is full in the batch that crosses it.
        let first = clients.filter { $0.uris.lowerBound - maxIdle > forecast.portsOfAddress }.map(\.name)
        let when =
            first.isEmpty
            ? "after \(rounded(time)) s"
            : "with the first batch of \(first.joined(separator: " or "))"
        return Finding(
            "prediction",
            "the ports run out \(when)",
            .good,
            "\(load) dials \(rounded(forecast.dialsPerSecond)) times a second on average without a limit; the range sustains \(rounded(forecast.sustainableDialsPerSecond))"
        )
    }

    private var portForecast: PortForecast? {
        guard let budget, budget.ports > 0 else { return nil }
        var settings = Settings()
        settings.fanOut.maxIdle = maxIdle
        return try? PortForecast(.init(budget: budget, settings: settings, clients: clients))
    }
}
