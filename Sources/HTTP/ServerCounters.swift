internal import Synchronization

/// What a server did with its connections; one may be shared by several servers.
package final class ServerCounters: Sendable {
    private let open = Atomic<Int>(0)
    private let turnedAwaySoFar = Atomic<Int>(0)
    private let timedOutSoFar = Atomic<Int>(0)
    private let abandonedSoFar = Atomic<Int>(0)

    package init() {}

    /// Connections that are open.
    package var connections: Int { open.load(ordering: .relaxed) }
    /// Connections that were answered with 503, as too many were open.
    package var turnedAway: Int { turnedAwaySoFar.load(ordering: .relaxed) }
    /// Connections that were closed because a client was too slow, or silent for too long.
    package var timedOut: Int { timedOutSoFar.load(ordering: .relaxed) }
    /// Requests whose client left before the answer, and that were cancelled for it.
    package var abandoned: Int { abandonedSoFar.load(ordering: .relaxed) }

    func opened() { open.wrappingAdd(1, ordering: .relaxed) }
    func closed() { open.wrappingSubtract(1, ordering: .relaxed) }
    func turnAway() { turnedAwaySoFar.wrappingAdd(1, ordering: .relaxed) }
    func timeOut() { timedOutSoFar.wrappingAdd(1, ordering: .relaxed) }
    func abandon() { abandonedSoFar.wrappingAdd(1, ordering: .relaxed) }
}
