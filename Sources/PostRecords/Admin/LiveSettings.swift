internal import Dispatch
internal import FanOut
internal import Synchronization
internal import Telemetry

/// The settings of a running server: the one place through which they change.
///
/// Changes are made one after another on a queue of their own, on which a file for the log may take its time to open;
/// who reads the settings never waits for one.
package final class LiveSettings: Sendable {
    private let settings: Mutex<Settings>
    private let service: Service
    /// Files that lines may go to, the one they went to at the start among them.
    private let logFiles: Set<String>
    private let queue = DispatchQueue(label: "settings")

    /// - Parameters:
    ///   - settings: those the service was started with.
    ///   - logFiles: that `log-sink` may be changed to, besides the one it was started with.
    init(_ settings: Settings, of service: Service, logFiles: [String]) {
        self.settings = Mutex(settings)
        self.service = service
        self.logFiles = Set(logFiles + [settings.logSink.file].compactMap(\.self))
    }

    package var current: Settings { settings.withLock { $0 } }

    /// Changes several settings together: all of them, or on an error none. Waits for a file of the log to open, but no longer
    /// than 5 s: one on a mount that does not answer is left to the queue.
    /// - Returns: the settings after the change.
    /// - Throws: ``Settings/Problem``
    package func change(_ changes: [SettingChange]) throws(Settings.Problem) -> Settings {
        let done = DispatchSemaphore(value: 0)
        let pending = PendingChange()
        queue.async {
            pending.settle(Result { () throws(Settings.Problem) in try self.changeNow(changes) })
            done.signal()
        }
        guard done.wait(timeout: .now() + .seconds(5)) == .success, let result = pending.result else {
            throw Settings.Problem(
                setting: nil,
                reason: "the change takes longer than 5 s, and may still take effect; ask for the settings again"
            )
        }
        return try result.get()
    }

    private func changeNow(_ changes: [SettingChange]) throws(Settings.Problem) -> Settings {
        dispatchPrecondition(condition: .onQueue(queue))
        var changed = current
        changed.apply(changes)
        if let misfit = changed.misfit(service.engine.servers) { throw misfit }
        if let obstacle = changed.obstacle { throw obstacle }
        if let file = changed.logSink.file, !logFiles.contains(file) {
            throw Settings.Problem(
                setting: "log-sink",
                reason: "\(file) is not a file it may be changed to; start the server with --allow-log-file \(file)"
            )
        }
        do throws(LogSinkError) {
            try service.log.set(mode: changed.logMode, sink: changed.logSink)
        } catch {
            throw Settings.Problem(setting: "log-sink", reason: "cannot \(error)")
        }
        service.engine.settings = changed.fanOut
        service.guards.current = changed.guards
        service.store?.set(latency: changed.storeLatency)
        settings.withLock { $0 = changed }
        return changed
    }
}

/// A change that is made on another thread.
private final class PendingChange: Sendable {
    private let outcome = Mutex<Result<Settings, Settings.Problem>?>(nil)

    var result: Result<Settings, Settings.Problem>? { outcome.withLock { $0 } }

    func settle(_ result: Result<Settings, Settings.Problem>) { outcome.withLock { $0 = result } }
}
