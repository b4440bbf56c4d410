internal import KernelProbe
internal import Memcached
package import POSIX

/// A memcached of the run's own.
package final class MemcachedProcess {
    package let address: SocketAddress
    private var process: ChildProcess

    package var identifier: Int32 { process.identifier }

    /// How a memcached is reached: over loopback, or a socket in the run's folder.
    package enum Transport: String, Sendable, CaseIterable {
        case ipv4, ipv6, unix
    }

    /// What it is started with.
    package struct Options: Sendable {
        /// How it is reached.
        package var transport = Transport.ipv4
        /// The address it listens on over IPv4; 0.0.0.0 for the dialer `rotate-destination`.
        package var listen = IPv4Address.loopback
        package var port: UInt16 = 11211
        /// Memory for items, in MiB.
        package var memory = 512
        package var threads = 2
        /// Connections it takes at once; nil for as many as it may have descriptors.
        package var connections: Int?

        package init() {}
    }

    /// Starts memcached and waits until it answers.
    ///
    /// It gets the longest accept queue the kernel grants: what runs out in a run should be ports.
    /// - Throws: ``TestbedError``
    package init(_ options: Options, in folder: RunFolder) throws(TestbedError) {
        let path = try Executables.memcached()
        let descriptors = DescriptorLimit.current.hard
        let isWildcard = options.listen == IPv4Address(value: 0)
        let socket: [String]
        switch options.transport {
        case .ipv4:
            address = .ipv4(isWildcard ? .loopback : options.listen, port: options.port)
            socket = ["-l", "\(options.listen)", "-p", "\(options.port)", "-U", "0"]
        case .ipv6:
            address = .ipv6(.ipv6Loopback, port: options.port)
            socket = ["-l", "::1", "-p", "\(options.port)", "-U", "0"]
        case .unix:
            address = .unix(path: folder.path + "/memcached.socket")
            socket = ["-s", folder.path + "/memcached.socket"]
        }
        do {
            let output = try Descriptor.creating(folder.path + "/memcached.log")
            process = try ChildProcess(
                path,
                [
                    // The user this runs as; memcached refuses to be root, and so to be root of a namespace, unnamed.
                    "-u", "root",
                    "-c", "\(options.connections ?? descriptors)", "-b", "65535", "-m", "\(options.memory)", "-t",
                    "\(options.threads)",
                ] + socket,
                output: output.rawValue,
                descriptorLimit: UInt64(descriptors)
            )
        } catch {
            throw TestbedError("memcached cannot be started: \(error)")
        }
        let deadline = MonotonicInstant.now + .seconds(5)
        while true {
            if let exit = process.poll() {
                throw TestbedError(
                    "memcached on \(address) ended at once (\(exit))\(folder.lastWords("memcached.log"))"
                )
            }
            if var connection = try? TextConnection(to: self.address), (try? connection.statistics()) != nil { return }
            guard MonotonicInstant.now < deadline else { throw TestbedError("memcached on \(address) does not answer") }
            sleepThread(for: .milliseconds(10))
        }
    }

    /// How it ended, or nil while it runs.
    package func poll() -> ProcessExit? { process.poll() }

    package func send(_ signal: CInt) { process.send(signal) }

    /// Kills it: it has nothing to save, and takes a second to end when asked.
    package func terminate() { process.terminate(timeout: .zero) }
}
