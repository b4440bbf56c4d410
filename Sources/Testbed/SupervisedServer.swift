internal import Glibc
package import KernelProbe
package import POSIX
package import PostRecords
internal import Units

/// A server that is started again when it dies, as a container's is, and whose counts add up over its processes.
package final class SupervisedServer {
    /// How a process of the server ended.
    package struct Exit {
        package var reason: String
        /// Whether the memory limit ended it.
        package var isMemory: Bool
    }

    package let memoryLimit: MemoryLimit?
    private let start: (Settings, _ cgroup: String?) throws(TestbedError) -> ServerProcess
    private var process: ServerProcess?
    private var settings: Settings
    private var isStopped = false
    private var killsSeen = 0
    private var killedForMemory = false
    /// Counts of the processes that ended, as they were last seen.
    private var ended = CounterSnapshot()
    /// Counts of the present process, as they were last seen.
    private var present = CounterSnapshot()
    package private(set) var exits = 0

    /// - Parameter start: starts a process with settings, in a cgroup where there is one.
    /// - Throws: ``TestbedError``
    package init(
        settings: Settings,
        memoryLimit: MemoryLimit?,
        start: @escaping (Settings, _ cgroup: String?) throws(TestbedError) -> ServerProcess
    ) throws(TestbedError) {
        self.settings = settings
        self.memoryLimit = memoryLimit
        self.start = start
        try begin()
    }

    package var isUp: Bool { process != nil }

    package var address: SocketAddress? { process?.address }

    /// Threads and memory as the kernel has them; nil while it is down.
    package var status: ProcessStatus? { process?.status }

    private func begin() throws(TestbedError) {
        process = try start(settings, memoryLimit?.folder)
        isStopped = false
        killedForMemory = false
    }

    /// Starts it again after it died, with the settings in force.
    /// - Throws: ``TestbedError``
    package func restart() throws(TestbedError) {
        ended = ended.adding(present)
        present = CounterSnapshot()
        try begin()
    }

    /// Kills it if it is over the limit, and says how it ended if it has.
    package func checkForExit() -> Exit? {
        guard let process else { return nil }
        if memoryLimit?.enforce(on: process.identifier) == true { killedForMemory = true }
        guard let exit = process.poll() else { return nil }
        let kills = memoryLimit?.kills ?? 0
        let isMemory = killedForMemory || kills > killsSeen
        killsSeen = kills
        self.process = nil
        exits += 1
        let limit = memoryLimit.map { "over its memory limit of \($0.limit)" } ?? ""
        return Exit(reason: isMemory ? "\(limit) (\(exit))" : "\(exit)\(meaning(exit))", isMemory: isMemory)
    }

    /// What exit status 2 of a server in service means.
    private func meaning(_ exit: ProcessExit) -> String {
        exit == .status(2) ? ", out of threads" : ""
    }

    /// Changes settings; a server that is down or stopped takes them over when it is back.
    /// - Throws: ``TestbedError`` when it refuses; then nothing has changed.
    package func change(_ changes: [SettingChange]) throws(TestbedError) {
        if let process, !isStopped, !changes.isEmpty {
            do throws(TestbedError) {
                try process.change(changes)
            } catch {
                // One that is dying is started again with them.
                if process.poll() == nil { throw error }
            }
        }
        settings.apply(changes)
    }

    /// What all its processes counted; what it last said while it does not answer.
    /// - Parameter takePeaks: whether peaks start over.
    package func counters(takePeaks: Bool) -> CounterSnapshot {
        if !isStopped, let process, let now = try? process.counters(takePeaks: takePeaks) { present = now }
        defer { if takePeaks { ended.inFlightPeak = 0 } }
        return ended.adding(present)
    }

    package func send(_ signal: CInt) {
        process?.send(signal)
        if signal == SIGSTOP { isStopped = true }
        if signal == SIGCONT { isStopped = false }
    }

    package func terminate(timeout: Duration) {
        process?.terminate(timeout: timeout)
    }
}
