internal import KernelProbe
internal import Memcached
package import POSIX
package import Testbed
package import Testing

/// A real memcached in the namespace of the calling thread, gone with this object.
package final class RealMemcached {
    package let address: SocketAddress
    private let process: MemcachedProcess
    private let folder: RunFolder

    package init(
        _ transport: MemcachedProcess.Transport = .ipv4,
        listen: IPv4Address = .loopback,
        port: UInt16 = 11211,
        connections: Int? = nil
    ) throws {
        folder = try RunFolder()
        var options = MemcachedProcess.Options()
        options.transport = transport
        options.listen = listen
        options.port = port
        options.connections = connections
        let before = try SocketDiagnostics.survey(towardsPort: port).timeWait
        process = try MemcachedProcess(options, in: folder)
        address = process.address
        // The connection that it was probed with is closed, and in TIME_WAIT, before anybody counts. A socket that becomes
        // TIME_WAIT while the kernel lists them may be missing from one list, so two have to agree.
        let left = transport == .unix ? before : before + 1
        var last: Int?
        _ = try eventually(within: .seconds(2)) {
            let counts = try SocketDiagnostics.survey(towardsPort: port)
            defer { last = counts.timeWait }
            return counts.established + counts.other == 0 && counts.timeWait >= left && last == counts.timeWait
        }
    }

    deinit {
        process.terminate()
    }

    package var identifier: Int32 { process.identifier }

    package func send(_ signal: CInt) { process.send(signal) }

    /// Ends it and waits until it has.
    package func terminate() { process.terminate() }

    /// One of memcached's own counters. The connection it is read over counts itself, and comes from
    /// an address of its own.
    package func statistic(_ name: String) throws -> Int {
        var connection = try TextConnection(to: address, from: IPv4Address(value: 0x7f00_0303))
        return Int(try connection.statistics()[name] ?? "") ?? -1
    }
}

extension Trait where Self == ConditionTrait {
    package static var requiresMemcached: Self {
        .enabled(if: ProgramPath.onPath("memcached") != nil, "needs memcached: apt-get install memcached")
    }
}
