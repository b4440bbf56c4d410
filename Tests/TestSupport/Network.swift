internal import Glibc
internal import KernelProbe
internal import POSIX
package import Testing

/// Runs `body` in a fresh network namespace, with its own ports and TIME_WAIT sockets; threads and
/// processes started in it are there too.
/// - Parameter ports: narrows the ephemeral range to this many.
package func inNetworkNamespace<Value>(ports: Int? = nil, _ body: () throws -> Value) throws -> Value {
    Signals.ignoreBrokenPipes()
    return try NetworkNamespace.during {
        // Not every kernel shows it in a namespace; its default will do there.
        try? Sysctl.write("net.core.somaxconn", "65535")
        if let ports { try Sysctl.write("net.ipv4.ip_local_port_range", "32768 \(32767 + ports)") }
        return try body()
    }
}

/// Resets sent in the calling thread's network namespace so far.
///
/// A reset that reaches a TIME_WAIT socket ends it early (net.ipv4.tcp_rfc1337 is 0 by default). On
/// loopback some connections close that way under load, less than one in a hundred: each one missing
/// in TIME_WAIT is a reset counted here. /proc/net/snmp, Tcp OutRsts
package func resetsSent() throws -> Int {
    let lines = try KernelFile.read("/proc/thread-self/net/snmp").split(separator: "\n")
        .filter { $0.hasPrefix("Tcp:") }
        .map { $0.split(separator: " ") }
    let column = lines[0].firstIndex(of: "OutRsts")!
    return Int(lines[1][column])!
}

extension Trait where Self == ConditionTrait {
    /// The test takes ports, which it must not take from anybody else.
    package static var requiresNamespaces: Self {
        .enabled("needs to make network namespaces: run scripts/test, as root or where user namespaces are permitted") {
            // Only with the right at hand: asking for a user namespace would change this process.
            geteuid() == 0 && (try? inNetworkNamespace {}) != nil
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// The test dials or listens over IPv6.
    package static var requiresIPv6: Self { .enabled(if: hasIPv6, "IPv6 is off") }

    /// The test runs another program.
    package static func requires(_ program: String, package: String) -> Self {
        .enabled(if: Program.onPath(program) != nil, "needs \(program): apt-get install \(package)")
    }
}

/// Whether this machine's kernel has IPv6, so that namespaces have it. proc_net(5)
package var hasIPv6: Bool { access("/proc/net/if_inet6", F_OK) == 0 }
