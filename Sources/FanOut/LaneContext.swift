internal import Memcached
internal import POSIX
internal import Synchronization
internal import Telemetry

/// What all lanes share.
final class LaneContext: Sendable {
    let servers: ServerList
    let pool: Pool
    let store: (any BackingStore)?
    let errorPolicy: ErrorPolicy
    let log: ErrorLog
    let messages: FailureMessages
    /// Whether a value out of memcached is a record.
    let isReadable: @Sendable (UnsafeRawBufferPointer) -> Bool
    let counters = FanOutCounters()

    private let current: Mutex<FanOutSettings>
    /// Moves with every change of the settings, so that lanes read them only then.
    let settingsVersion = Atomic<Int>(0)

    init(
        servers: ServerList,
        settings: FanOutSettings,
        store: (any BackingStore)?,
        errorPolicy: ErrorPolicy,
        log: ErrorLog,
        messages: FailureMessages,
        isReadable: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool
    ) {
        self.servers = servers
        self.store = store
        self.errorPolicy = errorPolicy
        self.log = log
        self.messages = messages
        self.isReadable = isReadable
        pool = Pool(servers: servers.addresses.count, bounds: settings.poolBounds)
        current = Mutex(settings)
    }

    var settings: FanOutSettings { current.withLock { $0 } }

    /// - Returns: connections that are not kept any more, for the caller to close.
    func change(to settings: FanOutSettings) -> Pool.Surplus {
        current.withLock { $0 = settings }
        let surplus = pool.setBounds(settings.poolBounds)
        settingsVersion.wrappingAdd(1, ordering: .releasing)
        return surplus
    }
}
