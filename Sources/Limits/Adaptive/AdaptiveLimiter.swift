internal import Synchronization

/// Finds out for itself how many lookups there should be at once, from how those before went.
package protocol LimitAlgorithm: Sendable {
    /// Lookups that may be in flight, 1 or more.
    var limit: Int { get }
    /// - Parameter inFlight: lookups that were in flight with the sample, itself included.
    mutating func update(_ sample: Sample, inFlight: Int)
}

/// What the adaptive limits have in common to be set; a new value has the published defaults.
protocol AdaptiveParameters {
    init()
    /// Lookups at the beginning, at the least and at the most.
    var start: Int { get set }
    var min: Int { get set }
    var max: Int { get set }
}

/// Admits as many as an algorithm has found to be good: limits `aimd`, `vegas` and `gradient2`, one for the process.
package final class AdaptiveLimiter: Limiter {
    /// Which one. A class generic over them would look their types up at each call: ten times as slow.
    package enum Algorithm: Sendable {
        case aimd(AIMD)
        case vegas(Vegas)
        case gradient2(Gradient2)

        var limit: Int {
            switch self {
            case .aimd(let algorithm): algorithm.limit
            case .vegas(let algorithm): algorithm.limit
            case .gradient2(let algorithm): algorithm.limit
            }
        }

        mutating func update(_ sample: Sample, inFlight: Int) {
            switch self {
            case .aimd(var algorithm):
                algorithm.update(sample, inFlight: inFlight)
                self = .aimd(algorithm)
            case .vegas(var algorithm):
                algorithm.update(sample, inFlight: inFlight)
                self = .vegas(algorithm)
            case .gradient2(var algorithm):
                algorithm.update(sample, inFlight: inFlight)
                self = .gradient2(algorithm)
            }
        }
    }

    private struct State {
        var algorithm: Algorithm
        var limit: Int
        var inFlight = 0
    }

    private let state: Mutex<State>
    /// What the algorithm says, to be read without the lock.
    private let limit: Atomic<Int>

    package init(_ algorithm: Algorithm) {
        state = Mutex(State(algorithm: algorithm, limit: algorithm.limit))
        limit = Atomic(algorithm.limit)
    }

    package var bound: Int? { limit.load(ordering: .relaxed) }

    package var wantsSamples: Bool { true }

    package func tryAcquire() -> Bool {
        state.withLock { state in
            guard state.inFlight < state.limit else { return false }
            state.inFlight += 1
            return true
        }
    }

    package func release(_ sample: Sample?) {
        state.withLock { state in
            precondition(state.inFlight > 0, "a permit was given back twice")
            if let sample {
                state.algorithm.update(sample, inFlight: state.inFlight)
                state.limit = state.algorithm.limit
                limit.store(state.limit, ordering: .relaxed)
            }
            state.inFlight -= 1
        }
    }
}
