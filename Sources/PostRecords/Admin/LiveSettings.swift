internal import FanOut
internal import POSIX
internal import Synchronization
internal import Telemetry

/// The settings of a running server: the one place through which they change.
package final class LiveSettings: Sendable {
    private let settings: Mutex<Settings>
    private let service: Service

    /// - Parameter settings: those the service was started with.
    init(_ settings: Settings, of service: Service) {
        self.settings = Mutex(settings)
        self.service = service
        service.guards.current = settings.guards
    }

    package var current: Settings { settings.withLock { $0 } }

    /// Changes several settings together: all of them, or on an error none.
    /// - Returns: the settings after the change.
    /// - Throws: ``Settings/Problem``
    package func change(_ changes: [SettingChange]) throws(Settings.Problem) -> Settings {
        let result = settings.withLock { settings in
            Result { () throws(Settings.Problem) in
                var changed = settings
                changed.apply(changes)
                do throws(SystemCallError) {
                    try service.log.set(mode: changed.logMode, sink: changed.logSink)
                } catch {
                    throw Settings.Problem(setting: "log-sink", reason: "cannot \(error)")
                }
                service.engine.settings = changed.fanOut
                service.guards.current = changed.guards
                service.store?.set(latency: changed.storeLatency)
                settings = changed
                return changed
            }
        }
        return try result.get()
    }
}
