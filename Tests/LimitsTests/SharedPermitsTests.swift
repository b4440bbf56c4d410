import Testing

@testable import Limits

/// Who goes first when several batches want a permit.
@Suite("Permits of the process")
struct SharedPermitsTests {
    @Test("alone, a caller has all permits")
    func alone() {
        let share = SharedPermits(permits: 8, order: .fairness).share(of: "heavy")
        #expect((0..<20).count { _ in share.tryAcquire() } == 8)
    }

    @Test("what a heavy caller gives back goes to one that has less, until both have the same")
    func givesWay() {
        let limit = SharedPermits(permits: 8, order: .fairness)
        let heavy = limit.share(of: "heavy")
        var held = (heavy: 0, small: 0)
        while heavy.tryAcquire() { held.heavy += 1 }
        #expect(held.heavy == 8, "nobody else is there")
        let small = limit.share(of: "small")
        #expect(!small.tryAcquire())
        // Each time one comes back, both ask: the heavy one first.
        for _ in 0..<20 {
            heavy.release(nil)
            held.heavy -= 1
            if heavy.tryAcquire() { held.heavy += 1 }
            if small.tryAcquire() { held.small += 1 }
        }
        #expect(held == (4, 4))
    }

    @Test("a caller that wants little gets all it wants, and the rest is shared by the others")
    func maxMin() {
        let limit = SharedPermits(permits: 10, order: .fairness)
        let shares = ["a", "b", "c"].map { limit.share(of: $0) }
        var held = [0, 0, 0]
        let wanted = [2, 100, 100]
        for _ in 0..<50 {
            for index in 0..<3 where held[index] < wanted[index] {
                if shares[index].tryAcquire() { held[index] += 1 }
                if held[index] == wanted[index] { shares[index].withdraw() }
            }
        }
        #expect(held == [2, 4, 4])
    }

    @Test("two batches of one caller count as one caller")
    func batchesOfOne() {
        let limit = SharedPermits(permits: 9, order: .fairness)
        let shares = [limit.share(of: "a"), limit.share(of: "a"), limit.share(of: "b")]
        var held = [0, 0, 0]
        for turn in 0..<60 {
            for index in 0..<3 { if shares[index].tryAcquire() { held[index] += 1 } }
            // Lookups end, whoever's they are.
            let index = turn % 3
            guard held[index] > 0, turn < 57 else { continue }
            shares[index].release(nil)
            held[index] -= 1
        }
        #expect(held.reduce(0, +) == 9)
        #expect((4...5).contains(held[2]), "\(held)")
    }

    @Test("who no longer wants a permit holds nobody up")
    func withdrawn() {
        let limit = SharedPermits(permits: 2, order: .fairness)
        let heavy = limit.share(of: "heavy")
        #expect(heavy.tryAcquire())
        #expect(heavy.tryAcquire())
        do {
            let gone = limit.share(of: "gone")
            #expect(!gone.tryAcquire())
        }
        heavy.release(nil)
        #expect(heavy.tryAcquire(), "the other batch has ended")
        let quiet = limit.share(of: "quiet")
        #expect(!quiet.tryAcquire())
        quiet.withdraw()
        heavy.release(nil)
        #expect(heavy.tryAcquire())
    }

    @Test("in the order of arrival, a later batch gets nothing until the earlier one is issued")
    func arrival() {
        let permits = SharedPermits(permits: 4, order: .arrival)
        let first = permits.share(of: "a")
        let second = permits.share(of: "b")
        #expect(!second.tryAcquire(), "the first has not asked yet, and is first")
        #expect(first.tryAcquire())
        #expect(!second.tryAcquire())
        first.withdraw()
        #expect(second.tryAcquire())
        // It has something to write back: it is the first again.
        #expect(first.tryAcquire())
        #expect(!second.tryAcquire())
        first.withdraw()
        #expect(second.tryAcquire())
        #expect(!second.tryAcquire(), "all four are out")
        first.release(nil)
        #expect(second.tryAcquire())
    }

    @Test(
        "of a thousand callers that came and went, nothing is left",
        arguments: [SharedPermits.Order.arrival, .fairness]
    )
    func cameAndWent(order: SharedPermits.Order) {
        let permits = SharedPermits(permits: 2, order: order)
        for number in 0..<1000 {
            let share = permits.share(of: "caller \(number)")
            #expect(share.tryAcquire())
            share.release(nil)
        }
        let last = permits.share(of: "last")
        #expect(last.tryAcquire())
        #expect(last.tryAcquire())
        #expect(!last.tryAcquire())
    }
}
