internal import Dispatch
package import FanOut
internal import Memcached
package import POSIX
internal import PostRecords
internal import Synchronization
package import Telemetry
internal import Units

extension FanOutEngine {
    /// An engine for a test, with the log off.
    package static func make(
        _ servers: [SocketAddress],
        lanes: Int = 4,
        store: (any BackingStore)? = nil,
        errorPolicy: ErrorPolicy = .empty,
        log: ErrorLog? = nil,
        _ change: (inout FanOutSettings) -> Void = { _ in }
    ) throws -> FanOutEngine {
        var settings = FanOutSettings()
        change(&settings)
        return try FanOutEngine(
            servers: ServerList(servers),
            settings: settings,
            lanes: lanes,
            store: store,
            errorPolicy: errorPolicy,
            log: try log ?? ErrorLog(mode: .off, sink: .standardError),
            messages: .postRecords
        )
    }

    /// Looks keys up and waits for the outcomes, on the thread it is called on.
    package func lookUpAndWait(_ keys: [String]) -> [Outcome] {
        start(keys).wait()
    }

    /// Looks keys up without waiting.
    package func start(
        _ keys: [String],
        as caller: String = "test",
        room: (any MemoryRoom)? = nil
    ) -> PendingLookups {
        let pending = PendingLookups()
        let handle = lookUp(KeyList(keys), for: ClientAccount(caller), room: room) { pending.finish($0) }
        pending.handle.withLock { $0 = handle }
        return pending
    }

    package var errorsByName: [String: Int] {
        Dictionary(counters.errors.values.map { ($0.key.name, $0.value) }, uniquingKeysWith: +)
    }
}

/// A batch on its way.
package final class PendingLookups: Sendable {
    private let result = Mutex<Result<[Outcome], Overload>?>(nil)
    // A group, which may be waited for any number of times.
    private let done = DispatchGroup()

    fileprivate let handle = Mutex<LookupHandle?>(nil)

    fileprivate init() {
        done.enter()
    }

    /// Waits for it no longer.
    package func cancel() {
        handle.withLock { $0 }?.cancel()
    }

    fileprivate func finish(_ result: Result<[Outcome], Overload>) {
        self.result.withLock { $0 = result }
        done.leave()
    }

    /// Waits for the outcomes; none when the batch was refused.
    package func wait() -> [Outcome] { (try? waitForResult().get()) ?? [] }

    package func waitForResult() -> Result<[Outcome], Overload> {
        done.wait()
        return result.withLock { $0! }
    }

    /// Waits a bounded while for the end.
    package func isDone(within timeout: Duration) -> Bool {
        done.wait(timeout: .now() + .nanoseconds(Int(timeout.wholeNanoseconds))) == .success
    }

    package var isDone: Bool { result.withLock { $0 != nil } }
}

extension [Outcome] {
    package var hits: Int { count { if case .hit = $0 { true } else { false } } }
    package var stored: Int { count { if case .stored = $0 { true } else { false } } }
    package var missing: Int { count { if case .missing = $0 { true } else { false } } }
    package var unreadable: Int { count { if case .unreadable = $0 { true } else { false } } }
    package var failed: Int { count { if case .failed = $0 { true } else { false } } }
}

/// The posts a test asks for.
package func postURIs(_ count: Int, seed: UInt64 = 7) -> [String] {
    (0..<count).map { PostURI.make(seed: seed, number: $0) }
}

/// Waits, a bounded while, until a condition holds.
/// - Returns: whether it did.
package func eventually(within timeout: Duration = .seconds(10), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicInstant.now + timeout
    while MonotonicInstant.now < deadline {
        if try condition() { return true }
        sleepThread(for: .milliseconds(5))
    }
    return try condition()
}
