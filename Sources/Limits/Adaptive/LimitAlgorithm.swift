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

/// One of the algorithms. A type generic over them would look their types up at each call: ten times as slow.
package enum AdaptiveLimit: LimitAlgorithm {
    case aimd(AIMD)
    case vegas(Vegas)
    case gradient2(Gradient2)

    package var limit: Int {
        switch self {
        case .aimd(let algorithm): algorithm.limit
        case .vegas(let algorithm): algorithm.limit
        case .gradient2(let algorithm): algorithm.limit
        }
    }

    package mutating func update(_ sample: Sample, inFlight: Int) {
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
