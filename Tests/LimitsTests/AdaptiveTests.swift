import Testing

@testable import Limits

/// The adaptive limits against recorded and simulated round trips: no network, no clock.
@Suite("Adaptive limits")
struct AdaptiveTests {
    private static let healthy = Sample(roundTrip: .microseconds(60), isDrop: false)
    private static let fastFailure = Sample(roundTrip: .microseconds(15), isDrop: true)
    private static let timeout = Sample(roundTrip: .milliseconds(500), isDrop: true)

    /// A server that answers so many lookups at once in its round trip, and queues the rest.
    private struct Backend {
        var capacity: Int
        var roundTrip: Duration

        func sample(inFlight: Int) -> Sample {
            let queued = max(1, Double(inFlight) / Double(capacity))
            return Sample(roundTrip: roundTrip * queued, isDrop: false)
        }
    }

    /// Keeps as many in flight as the limit allows, for so many samples.
    private func drive(_ algorithm: inout some LimitAlgorithm, against backend: Backend, samples: Int) {
        for _ in 0..<samples {
            let inFlight = algorithm.limit
            algorithm.update(backend.sample(inFlight: inFlight), inFlight: inFlight)
        }
    }

    // MARK: AIMD

    @Test("AIMD adds one while it is in use, and takes a tenth off, rounded down, on each drop")
    func aimd() {
        var aimd = AIMD()
        #expect(aimd.limit == 20)
        for _ in 0..<30 { aimd.update(Self.healthy, inFlight: aimd.limit) }
        #expect(aimd.limit == 50)
        aimd.update(Self.timeout, inFlight: 50)
        #expect(aimd.limit == 45)
        aimd.update(Self.timeout, inFlight: 45)
        #expect(aimd.limit == 40, "floor(40.5)")
        aimd.update(Self.healthy, inFlight: 19)
        #expect(aimd.limit == 40, "2 x 19 is below the limit: it is not in use")
        aimd.update(Self.healthy, inFlight: 20)
        #expect(aimd.limit == 41)
        for _ in 0..<100 { aimd.update(Self.timeout, inFlight: aimd.limit) }
        #expect(aimd.limit == 20)
        for _ in 0..<1000 { aimd.update(Self.healthy, inFlight: aimd.limit) }
        #expect(aimd.limit == 200)
    }

    // MARK: Vegas

    @Test("Vegas grows by six logarithms while nothing queues, by one while little does, and shrinks when much does")
    func vegasSteps() {
        var parameters = Vegas.Parameters()
        parameters.start = 100
        var vegas = Vegas(parameters)
        vegas.update(Sample(roundTrip: .microseconds(100), isDrop: false), inFlight: 100)
        #expect(vegas.limit == 100, "the first sample is the best round trip")
        // log10(100) is 2: a queue of 100 (1 - 100/102) = 1.96, rounded up 2, is nothing.
        vegas.update(Sample(roundTrip: .microseconds(102), isDrop: false), inFlight: 100)
        #expect(vegas.limit == 112)
        // 112 (1 - 100/104) = 4.3, rounded up 5: below 3 x 2.
        vegas.update(Sample(roundTrip: .microseconds(104), isDrop: false), inFlight: 112)
        #expect(vegas.limit == 114)
        // 114 (1 - 100/110) = 10.4, rounded up 11: between 6 and 12, it holds.
        vegas.update(Sample(roundTrip: .microseconds(110), isDrop: false), inFlight: 114)
        #expect(vegas.limit == 114)
        // 114 (1 - 100/150) = 38: above 12.
        vegas.update(Sample(roundTrip: .microseconds(150), isDrop: false), inFlight: 114)
        #expect(vegas.limit == 112)
        vegas.update(Sample(roundTrip: .microseconds(102), isDrop: false), inFlight: 55)
        #expect(vegas.limit == 112, "2 x 55 is below the limit: it holds")
        vegas.update(Self.timeout, inFlight: 112)
        #expect(vegas.limit == 110)
    }

    @Test(
        "a dial refused in 15 microseconds does not become Vegas's best round trip; as published, it did, and strangled it"
    )
    func vegasFastFailure() {
        func limit(asPublished: Bool) -> (limit: Int, best: Double?) {
            var parameters = Vegas.Parameters()
            parameters.asPublished = asPublished
            var vegas = Vegas(parameters)
            for _ in 0..<20 { vegas.update(Self.healthy, inFlight: vegas.limit) }
            vegas.update(Self.fastFailure, inFlight: vegas.limit)
            // A healthy server from here on.
            for _ in 0..<100 { vegas.update(Self.healthy, inFlight: vegas.limit) }
            return (vegas.limit, vegas.bestRoundTrip)
        }
        let fixed = limit(asPublished: false)
        #expect(fixed.best == 60_000)
        #expect(fixed.limit > 500)
        let published = limit(asPublished: true)
        #expect(published.best == 15_000)
        // Every success now looks like a queue of three quarters of the limit.
        #expect(published.limit < fixed.limit / 10)
    }

    @Test("Vegas measures the best round trip anew in time, and so recovers when the server has become slower")
    func vegasProbes() {
        var vegas = Vegas()
        drive(&vegas, against: Backend(capacity: 50, roundTrip: .microseconds(50)), samples: 500)
        let before = vegas.bestRoundTrip
        drive(&vegas, against: Backend(capacity: 50, roundTrip: .microseconds(200)), samples: 60_000)
        #expect(before == 50_000)
        #expect(vegas.bestRoundTrip! >= 200_000)
    }

    @Test("round trips below 100 microseconds count", arguments: [20, 60, 90])
    func shortRoundTrips(microseconds: Int) {
        var vegas = Vegas()
        drive(&vegas, against: Backend(capacity: 100, roundTrip: .microseconds(microseconds)), samples: 300)
        #expect(vegas.limit > 90)
        #expect(vegas.bestRoundTrip == Double(microseconds * 1000))
    }

    // MARK: Gradient2

    @Test("Gradient2 follows its formula: L = 0.8 L + 0.2 (g L + 4)")
    func gradientFormula() {
        var gradient = Gradient2()
        for _ in 0..<5 { gradient.update(Self.healthy, inFlight: 20) }
        // g is 1 while round trips are as they were: each step adds 0.8.
        #expect(gradient.limit == 24)
        // Four times the average: g = 1.5 x 60 / 240, below 0.5, counts as 0.5 (the average moves a little first).
        var slow = Gradient2()
        for _ in 0..<100 { slow.update(Self.healthy, inFlight: slow.limit) }
        let before = Double(slow.limit)
        slow.update(Sample(roundTrip: .microseconds(240), isDrop: false), inFlight: slow.limit)
        #expect(abs(Double(slow.limit) - (0.8 * before + 0.2 * (0.5 * before + 4))) <= 1)
    }

    @Test("Gradient2 holds a limit that is not in use")
    func gradientUnused() {
        var gradient = Gradient2()
        for _ in 0..<200 { gradient.update(Self.healthy, inFlight: 5) }
        #expect(gradient.limit == 20)
    }

    @Test("constant timeouts drive Gradient2 down; as published it climbs to its maximum on them")
    func gradientTimeouts() {
        func limit(asPublished: Bool) -> Int {
            var parameters = Gradient2.Parameters()
            parameters.asPublished = asPublished
            parameters.start = 100
            var gradient = Gradient2(parameters)
            for _ in 0..<500 { gradient.update(Self.timeout, inFlight: gradient.limit) }
            return gradient.limit
        }
        #expect(limit(asPublished: false) == 20)
        #expect(limit(asPublished: true) == 200)
    }

    // MARK: All of them

    @Test("each settles where a server with room for 60 begins to queue, or at what it is allowed")
    func settle() {
        let backend = Backend(capacity: 60, roundTrip: .microseconds(80))
        var vegas = Vegas()
        drive(&vegas, against: backend, samples: 2000)
        #expect((55...75).contains(vegas.limit), "\(vegas.limit)")
        // A queue that grows slowly drags the average along: it is bounded by its maximum, which is why it has one.
        var gradient = Gradient2()
        drive(&gradient, against: backend, samples: 20_000)
        #expect((60...200).contains(gradient.limit), "\(gradient.limit)")
        // Round trips are nothing to AIMD: without drops it takes all it may.
        var aimd = AIMD()
        drive(&aimd, against: backend, samples: 2000)
        #expect(aimd.limit == 200)
    }

    @Test("a recorded course of round trips, a pause of the server in it, is followed and recovered from")
    func recorded() {
        // Microseconds, as one lane saw them under limit request:64 on a 2-core machine; 0 stands for a timeout.
        let course =
            Array(repeating: [71, 66, 84, 92, 77, 68, 110, 73, 81, 95], count: 40).flatMap { $0 }
            + Array(repeating: 0, count: 60)
            + Array(repeating: [69, 75, 88, 72, 101, 79, 83, 70, 94, 76], count: 60).flatMap { $0 }
        func play(_ algorithm: some LimitAlgorithm) -> (lowest: Int, last: Int) {
            var algorithm = algorithm
            var lowest = Int.max
            for microseconds in course {
                let isDrop = microseconds == 0
                let sample = Sample(
                    roundTrip: isDrop ? .milliseconds(500) : .microseconds(microseconds),
                    isDrop: isDrop
                )
                algorithm.update(sample, inFlight: algorithm.limit)
                lowest = min(lowest, algorithm.limit)
            }
            return (lowest, algorithm.limit)
        }
        let aimd = play(AIMD())
        #expect(aimd.lowest == 20)
        #expect(aimd.last == 200)
        let gradient = play(Gradient2())
        #expect(gradient.lowest == 20)
        #expect(gradient.last > 100)
        let vegas = play(Vegas())
        #expect(vegas.lowest < 20)
        #expect(vegas.last < 100, "round trips that differ by half look like a queue to it")
    }
}
