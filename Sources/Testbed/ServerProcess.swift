internal import HTTPTypes
package import KernelProbe
package import POSIX
package import PostRecords

/// A spiral-server of the run's own, and the connection it is controlled through.
package final class ServerProcess {
    package let address: SocketAddress
    private var process: ChildProcess
    private var admin: AdminClient

    package var identifier: Int32 { process.identifier }

    /// Starts the server and waits until it serves.
    /// - Parameters:
    ///   - memcached: the servers it looks posts up in, one or more.
    ///   - arguments: beyond the addresses.
    ///   - cgroup: folder of the cgroup it begins in; nil for this process's own.
    /// - Throws: ``TestbedError``
    package init(
        address: SocketAddress,
        adminAddress: SocketAddress,
        memcached: [SocketAddress],
        _ arguments: [String],
        descriptorLimit: Int? = nil,
        cgroup: String? = nil,
        in folder: RunFolder
    ) throws(TestbedError) {
        self.address = address
        admin = AdminClient(adminAddress, timeout: .seconds(2))
        let path = try Executables.server()
        do {
            let output = try Descriptor.appending(to: folder.path + "/server.log")
            process = try ChildProcess(
                path,
                ["--listen", "\(address)", "--admin-listen", "\(adminAddress)", "--memcached"]
                    + [memcached.map(\.description).joined(separator: ",")] + arguments,
                output: output.rawValue,
                descriptorLimit: descriptorLimit.map { UInt64($0) },
                cgroup: cgroup
            )
        } catch {
            throw TestbedError("spiral-server cannot be started: \(error)")
        }
        let deadline = MonotonicInstant.now + .seconds(10)
        while true {
            if let exit = process.poll() {
                throw TestbedError("spiral-server ended at once (\(exit))\(folder.lastWords("server.log"))")
            }
            if (try? admin.call(.get, "/healthz")) != nil { return }
            guard MonotonicInstant.now < deadline else { throw TestbedError("spiral-server does not answer") }
            sleepThread(for: .milliseconds(10))
        }
    }

    /// Changes settings while it runs.
    /// - Throws: ``TestbedError``
    package func change(_ changes: [SettingChange]) throws(TestbedError) {
        try admin.change(changes)
    }

    /// What it counted; peaks start over.
    /// - Throws: ``TestbedError``
    package func counters(takePeaks: Bool) throws(TestbedError) -> CounterSnapshot {
        try admin.counters(takePeaks: takePeaks)
    }

    /// Threads and memory as the kernel has them, or nil when it is gone.
    package var status: ProcessStatus? { try? ProcessStatus.read(process.identifier) }

    package func poll() -> ProcessExit? { process.poll() }

    package func send(_ signal: CInt) { process.send(signal) }

    /// Ends it: at once without timeout.
    package func terminate(timeout: Duration = .seconds(2)) { process.terminate(timeout: timeout) }
}
