internal import POSIX
internal import Testbed

/// A twemproxy of the room's own, before its memcached: what it dials itself is a few connections that stay open.
final class ProxyProcess {
    let address: SocketAddress
    private var process: ChildProcess

    /// Its clients' requests share so many connections to memcached.
    private static let serverConnections = 4

    /// Starts it and waits until it takes connections.
    /// - Parameter address: where it listens.
    /// - Throws: ``CureUnavailable`` where it is not installed; ``TestbedError``
    init(on address: SocketAddress, before memcached: SocketAddress, in folder: RunFolder) throws {
        guard let path = ProgramPath.onPath("nutcracker") ?? ProgramPath.onPath("twemproxy") else {
            throw CureUnavailable("twemproxy is not installed; install it with 'apt-get install nutcracker'")
        }
        self.address = address
        let listen = if case .unix(let path) = address { path } else { "\(address)" }
        let configuration = """
            spiral:
              listen: \(listen)
              hash: fnv1a_64
              distribution: modula
              backlog: 65535
              server_connections: \(Self.serverConnections)
              servers:
               - \(memcached):1

            """
        do {
            let file = try Descriptor.creating(folder.path + "/proxy.yml")
            try file.writeAll(Array(configuration.utf8))
            let output = try Descriptor.creating(folder.path + "/proxy.log")
            process = try ChildProcess(
                path,
                // Buffers of 1 KiB for each connection, as there are thousands; statistics on a port nobody asks.
                ["-c", folder.path + "/proxy.yml", "-m", "1024", "-a", "127.0.0.1", "-s", "22222"],
                output: output.rawValue,
                descriptorLimit: UInt64(DescriptorLimit.current.hard)
            )
        } catch {
            throw TestbedError("twemproxy cannot be started: \(error)")
        }
        let deadline = MonotonicInstant.now + .seconds(5)
        while (try? Socket.connected(to: address, timeout: .seconds(1))) == nil {
            if let exit = process.poll() {
                throw TestbedError("twemproxy ended at once (\(exit))\(folder.lastWords("proxy.log"))")
            }
            guard MonotonicInstant.now < deadline else { throw TestbedError("twemproxy on \(address) does not answer") }
            sleepThread(for: .milliseconds(5))
        }
    }

    /// Kills it.
    func terminate() { process.terminate(timeout: .zero) }
}
