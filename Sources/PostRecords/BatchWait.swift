internal import FanOut
internal import Synchronization

/// Why nobody waits for a batch any more.
enum Cancellation: String, Sendable, CaseIterable {
    /// The time its caller gave it is over.
    case deadline
    /// Its caller has left.
    case abandoned
}

/// Waits for a batch's outcomes, or for the reason not to: whatever comes first.
final class BatchWait: Sendable {
    enum End: Sendable {
        case outcomes([Outcome])
        case refused(Overload)
        case cancelled(Cancellation)
    }

    private struct State {
        var end: End?
        var waiter: CheckedContinuation<End, Never>?
    }

    private let state = Mutex(State())

    /// - Returns: false when it has ended before.
    @discardableResult
    func end(as end: End) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<End, Never>?) in
            guard state.end == nil else { return (false, nil) }
            state.end = end
            return (true, state.waiter.take())
        }
        waiter?.resume(returning: end)
        return isFirst
    }

    /// How it ended. Waited for once.
    var value: End {
        get async {
            await withCheckedContinuation { waiter in
                let end = state.withLock { state in
                    if state.end == nil { state.waiter = waiter }
                    return state.end
                }
                if let end { waiter.resume(returning: end) }
            }
        }
    }
}
