package import KernelProbe
package import LoadGenerator
internal import Units

/// The story `spiral demo` plays: the incident, the band-aid, and the fix.
package struct DemoPlan: Sendable {
    /// Ports of the narrowed range: enough for the small callers, too few for one large batch.
    package static let narrowPorts = PortBudget(lowestPort: 32768, highestPort: 33791)

    package var fullRange: Bool
    /// Shortens every phase, for a quick check that all of it works.
    package var quick: Bool
    package var heavyBatch: Int

    package init(fullRange: Bool, quick: Bool, heavyBatch: Int = 20_000) {
        self.fullRange = fullRange
        self.quick = quick
        self.heavyBatch = heavyBatch
    }

    /// Ports it asks for; nil leaves the range as it is.
    package var portRange: PortBudget? { fullRange ? nil : Self.narrowPorts }

    /// The ordinary caller. On the narrowed range its dials stay below what the ports bear for ever.
    package var smallClient: ClientSpec {
        ClientSpec(name: "appview", uris: 1...10, rate: Rate(perSecond: 3))
    }

    /// The new internal caller. With all ports a batch near exhaustion takes up to a minute of CPU,
    /// as every bind() that fails has looked at every port: fewer batches then.
    package var heavyClient: ClientSpec {
        ClientSpec(
            name: "new-service",
            uris: heavyBatch...heavyBatch,
            rate: Rate(perSecond: fullRange ? 0.08 : 0.5)
        )
    }

    package var phases: [PhasePlan] {
        let small = smallClient
        let both = [small, heavyClient]
        let seconds: [Int] = fullRange ? [8, 14, 14, 10, 14] : quick ? [4, 5, 5, 5, 5] : [8, 12, 12, 6, 12]
        return [
            PhasePlan(
                name: "healthy",
                title: "small batches only; no limit, one source address, two idle connections",
                changes: [],
                clients: [small],
                duration: .seconds(seconds[0]),
                expectations: [.lookups, .noErrors]
            ),
            PhasePlan(
                name: "incident",
                title: "a new caller sends \(grouped(heavyBatch)) URIs a batch",
                changes: [],
                clients: both,
                duration: .seconds(seconds[1]),
                expectations: [.someError("EADDRINUSE"), fullRange ? .dialsUseFreePorts : .dialsMatchFreePorts]
            ),
            PhasePlan(
                name: "band-aid",
                title: "each dial from another address of 127.0.0.0/8",
                changes: [("dialer", "rotate")],
                clients: both,
                duration: .seconds(seconds[2]),
                expectations: [.lookups, .noError("EADDRINUSE"), .timeWaitBeyondPorts]
            ),
            PhasePlan(
                name: "pool",
                title: "128 idle connections are kept instead of 2: no cure alone, but the fix needs them",
                changes: [("max-idle", "128")],
                clients: both,
                duration: .seconds(seconds[3]),
                expectations: [.lookups, .noError("EADDRINUSE")]
            ),
            PhasePlan(
                name: "fix",
                title: "at most 64 lookups a batch at once; one source address again",
                changes: [("limit", "request:64"), ("dialer", "bind:127.32.0.1")],
                clients: both,
                duration: .seconds(seconds[4]),
                expectations: [.lookups, .noErrors, .noDials]
            ),
        ]
    }
}
