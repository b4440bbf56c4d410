extension LimitPolicy {
    /// What gives each caller its permits while the policy is in force.
    package func permits() -> @Sendable (_ caller: String) -> any Limiter {
        switch self {
        case .none:
            return { _ in Unlimited() }
        case .request(let permits):
            return { _ in PermitCount(permits: permits) }
        case .process(let permits, _):
            return Self.ordered(SharedPermits(permits: permits, order: .arrival))
        case .fair(let permits):
            return Self.ordered(SharedPermits(permits: permits, order: .fairness))
        case .aimd(let parameters):
            return Self.one(AdaptiveLimiter(.aimd(AIMD(parameters))))
        case .vegas(let parameters):
            return Self.one(AdaptiveLimiter(.vegas(Vegas(parameters))))
        case .gradient2(let parameters):
            return Self.one(AdaptiveLimiter(.gradient2(Gradient2(parameters))))
        }
    }

    private static func ordered(_ permits: SharedPermits) -> @Sendable (String) -> any Limiter {
        { permits.share(of: $0) }
    }

    private static func one(_ limiter: any Limiter) -> @Sendable (String) -> any Limiter {
        { _ in limiter }
    }
}
