package import POSIX

/// Counters of the kernel's TCP since the network namespace began, under the names `nstat` has for them.
package struct TCPCounters: Sendable, Equatable {
    private var values: [String: Int] = [:]

    /// Of the calling thread's network namespace: /proc/net/snmp and /proc/net/netstat. proc_pid_net(5)
    /// - Throws: ``SystemCallError`` when they cannot be read.
    package static func current() throws(SystemCallError) -> TCPCounters {
        var counters = TCPCounters()
        counters.add(try KernelFile.read("/proc/thread-self/net/snmp"), group: "Tcp:", prefix: "Tcp")
        counters.add(try KernelFile.read("/proc/thread-self/net/netstat"), group: "TcpExt:", prefix: "TcpExt")
        return counters
    }

    /// - Parameter name: as in `TcpActiveOpens` or `TcpExtTW`; 0 for one this kernel does not have.
    package subscript(name: String) -> Int {
        get { values[name] ?? 0 }
        set { values[name] = newValue }
    }

    /// A group is two lines, names and then values.
    private mutating func add(_ text: String, group: String, prefix: String) {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix(group) }.map { $0.split(separator: " ") }
        guard lines.count == 2 else { return }
        for (name, value) in zip(lines[0], lines[1]).dropFirst() { values[prefix + name] = Int(value) }
    }
}

/// Sockets of the whole namespace as the kernel sums them up, at no cost. /proc/net/sockstat
package struct SocketSummary: Sendable, Equatable {
    package var inUse: Int
    package var orphans: Int
    package var timeWait: Int
    package var allocated: Int

    /// - Throws: ``SystemCallError`` when it cannot be read.
    package static func current() throws(SystemCallError) -> SocketSummary {
        let text = try KernelFile.read("/proc/thread-self/net/sockstat")
        let words = text.split(separator: "\n").first { $0.hasPrefix("TCP:") }?.split(separator: " ") ?? []
        func value(_ name: String) -> Int {
            words.firstIndex(of: name[...]).flatMap { Int(words[$0 + 1]) } ?? 0
        }
        return SocketSummary(
            inUse: value("inuse"),
            orphans: value("orphan"),
            timeWait: value("tw"),
            allocated: value("alloc")
        )
    }
}
