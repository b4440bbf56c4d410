package import POSIX
internal import Units

/// What a network namespace has set about ephemeral ports and TIME_WAIT. Nil where this kernel has no such setting,
/// or does not show it. Documentation/networking/ip-sysctl.rst
package struct NamespaceSettings: Sendable, Equatable {
    package var range: PortRange
    /// net.ipv4.tcp_tw_reuse: 0 never, 1 always, 2 over loopback.
    package var twReuse: Int?
    /// net.ipv4.tcp_tw_reuse_delay, since Linux 6.14. 0 is refused by the kernel: 1 ms to 60 s.
    package var twReuseDelay: Duration?
    /// net.ipv4.tcp_max_tw_buckets: connections beyond it close without TIME_WAIT.
    package var maxTimeWaitBuckets: Int?
    /// net.ipv4.ip_autobind_reuse, since Linux 5.7: bind() shares ports between sockets with SO_REUSEADDR.
    package var autobindReuse: Bool?
    /// net.ipv4.tcp_timestamps: without them no TIME_WAIT port is reused.
    package var timestamps: Bool?

    package init(range: PortRange) {
        self.range = range
    }

    /// Those of the calling thread's network namespace.
    /// - Throws: ``SystemCallError`` when the port range cannot be read.
    package static func current() throws(SystemCallError) -> NamespaceSettings {
        var settings = NamespaceSettings(range: try .current())
        settings.twReuse = number("net.ipv4.tcp_tw_reuse")
        settings.twReuseDelay = number("net.ipv4.tcp_tw_reuse_delay").map { .milliseconds($0) }
        settings.maxTimeWaitBuckets = number("net.ipv4.tcp_max_tw_buckets")
        settings.autobindReuse = number("net.ipv4.ip_autobind_reuse").map { $0 != 0 }
        settings.timestamps = number("net.ipv4.tcp_timestamps").map { $0 != 0 }
        return settings
    }

    /// When connect() takes a port in TIME_WAIT again between two addresses.
    package func reuse(from source: IPAddress, to destination: IPAddress) -> TimeWaitReuse {
        reuse(overLoopback: source.isLoopback || destination.isLoopback)
    }

    /// - Parameter isLoopback: whether either end is a loopback address, which tcp_tw_reuse=2 asks for.
    package func reuse(overLoopback isLoopback: Bool) -> TimeWaitReuse {
        guard timestamps ?? true, let twReuse, twReuse == 1 || (twReuse == 2 && isLoopback) else { return .never }
        return twReuseDelay.map { .after($0) } ?? .nextSecond
    }

    /// Every second port by itself: five digits and a comma for half of 65,536. The kernel hands a list out with the first
    /// read alone, cut where that is full. proc_do_large_bitmap() in kernel/sysctl.c
    private static let longestList = 6 << 15

    /// net.ipv4.ip_local_reserved_ports; none where it cannot be read.
    static func reservedPorts() -> PortSet {
        (try? Sysctl.read("net.ipv4.ip_local_reserved_ports", longest: longestList)).flatMap { PortSet(text: $0) }
            ?? PortSet()
    }

    private static func number(_ name: String) -> Int? {
        (try? Sysctl.read(name)).flatMap { Int($0) }
    }
}

/// When connect() may take a port whose last connection, between the same ends, is still in TIME_WAIT.
/// tcp_twsk_unique() in net/ipv4/tcp_ipv4.c
///
/// A port chosen by bind() is no matter of this: bind() never takes one whose address holds it.
package enum TimeWaitReuse: Sendable, Equatable {
    case never
    /// Since Linux 6.14: when more than this has passed since the close, in whole milliseconds.
    case after(Duration)
    /// Before that: when the clock of whole seconds has gone on since the close.
    case nextSecond

    /// - Parameters:
    ///   - age: milliseconds since the connection closed.
    ///   - now: when that was found; the kernel's seconds are those of this clock.
    package func allows(age: Int, at now: MonotonicInstant) -> Bool {
        switch self {
        case .never: false
        case .after(let delay): age > Int(delay.inMilliseconds)
        case .nextSecond:
            UInt64(max(0, age)) * 1_000_000 > now.nanoseconds % 1_000_000_000
        }
    }

    /// How long a closed connection keeps others from its port, at the longest.
    package var hold: Duration {
        switch self {
        case .never: PortRange.timeWait
        case .after(let delay): min(PortRange.timeWait, delay + .milliseconds(1))
        case .nextSecond: .seconds(1)
        }
    }
}
