package import FanOut
internal import Synchronization
package import Telemetry

/// What a batch must keep to before any of it is looked up. The settings `max-batch` and `max-per-caller`.
package struct RequestGuards: Sendable, Equatable {
    /// URIs of one batch; 0 for any number.
    package var maxBatch = 0
    /// URIs of one caller that are asked for and not answered yet; 0 for any number.
    package var maxPerCaller = 0

    package init() {}

    /// - Parameters:
    ///   - uris: of the batch, which ``ClientAccount/outstanding`` has already.
    /// - Throws: ``Overload``
    package func check(uris: Int, of account: ClientAccount) throws(Overload) {
        guard maxBatch == 0 || uris <= maxBatch else {
            throw Overload(.maxBatch, "a batch of \(uris) URIs is too large; ask for \(maxBatch) or fewer at once")
        }
        let outstanding = account.outstanding.value
        guard maxPerCaller == 0 || outstanding <= maxPerCaller else {
            throw Overload(
                .maxPerCaller,
                "\(outstanding) URIs of caller '\(account.name)' are on their way, and \(maxPerCaller) may be; "
                    + "wait for answers, or ask for fewer"
            )
        }
    }
}

/// The guards in force; they change while the server runs.
package final class LiveGuards: Sendable {
    private let guards: Mutex<RequestGuards>

    package init(_ guards: RequestGuards = RequestGuards()) {
        self.guards = Mutex(guards)
    }

    package var current: RequestGuards {
        get { guards.withLock { $0 } }
        set { guards.withLock { $0 = newValue } }
    }
}
