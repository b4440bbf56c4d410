internal import Glibc
internal import KernelProbe
internal import POSIX
internal import PostRecords
internal import Units

/// A server that is started again when it dies, as a container's is, and whose counts go on over its lives.
final class SupervisedServer {
    /// How a life of the server ended.
    struct Death {
        var reason: String
        /// Whether the memory limit ended it.
        var isMemory: Bool
    }

    let memoryLimit: MemoryLimit?
    private let start: (Settings, _ cgroup: String?) throws(StageError) -> ServerProcess
    private var process: ServerProcess?
    private var settings: Settings
    private var isStopped = false
    private var killsSeen = 0
    private var killedForMemory = false
    /// Counts of the lives that ended, as they were last seen.
    private var ended = CounterSnapshot()
    /// Counts of the present life, as they were last seen.
    private var present = CounterSnapshot()
    private(set) var deaths = 0

    /// - Parameter start: starts a process with settings, in a cgroup where there is one.
    /// - Throws: ``StageError``
    init(
        settings: Settings,
        memoryLimit: MemoryLimit?,
        start: @escaping (Settings, _ cgroup: String?) throws(StageError) -> ServerProcess
    ) throws(StageError) {
        self.settings = settings
        self.memoryLimit = memoryLimit
        self.start = start
        try begin()
    }

    var isUp: Bool { process != nil }

    var address: SocketAddress? { process?.address }

    /// Threads and memory as the kernel has them; nil while it is down.
    var status: ProcessStatus? { process?.status }

    private func begin() throws(StageError) {
        process = try start(settings, memoryLimit?.folder)
        isStopped = false
        killedForMemory = false
    }

    /// Starts it again after it died, with the settings in force.
    /// - Throws: ``StageError``
    func restart() throws(StageError) {
        ended = ended.adding(present)
        present = CounterSnapshot()
        try begin()
    }

    /// Kills it if it is over the limit, and says how it ended if it has.
    func checkForDeath() -> Death? {
        guard let process else { return nil }
        if memoryLimit?.enforce(on: process.identifier) == true { killedForMemory = true }
        guard let exit = process.poll() else { return nil }
        let kills = memoryLimit?.kills ?? 0
        let isMemory = killedForMemory || kills > killsSeen
        killsSeen = kills
        self.process = nil
        deaths += 1
        let limit = memoryLimit.map { "over its memory limit of \($0.limit)" } ?? ""
        return Death(reason: isMemory ? "\(limit) (\(exit))" : "\(exit)\(lastWords(exit))", isMemory: isMemory)
    }

    /// What exit status 2 of a server in service means.
    private func lastWords(_ exit: ProcessExit) -> String {
        exit == .status(2) ? ", out of threads" : ""
    }

    /// Changes settings; a server that is down or stopped takes them over when it is back.
    /// - Throws: ``StageError`` when it refuses; then nothing has changed.
    func change(_ changes: [(name: String, text: String)]) throws(StageError) {
        var changed = settings
        for change in changes {
            do {
                try changed.set(change.name, to: change.text)
            } catch {
                throw StageError("\(error)")
            }
        }
        if let process, !isStopped, !changes.isEmpty {
            do throws(StageError) {
                try process.change(changes)
            } catch {
                // One that is dying is started again with them.
                if process.poll() == nil { throw error }
            }
        }
        settings = changed
    }

    /// What all its lives counted; what it last said while it does not answer.
    /// - Parameter takePeaks: whether peaks start over.
    func counters(takePeaks: Bool) -> CounterSnapshot {
        if !isStopped, let process, let now = try? process.counters(takePeaks: takePeaks) { present = now }
        defer { if takePeaks { ended.inFlightPeak = 0 } }
        return ended.adding(present)
    }

    func send(_ signal: CInt) {
        process?.send(signal)
        if signal == SIGSTOP { isStopped = true }
        if signal == SIGCONT { isStopped = false }
    }

    func terminate(patience: Duration) {
        process?.terminate(patience: patience)
    }
}
