import Synchronization
import Testing

@testable import Limits

@Suite("Permits")
struct PermitsTests {
    /// Somebody with lookups, each of which ends as soon as it has a permit.
    private final class Holder: Sendable {
        let seat = Atomic<Int>(-1)
        let left: Atomic<Int>

        init(lookups: Int) { left = Atomic(lookups) }
    }

    private final class Service: Sendable {
        let permits: Permits
        let served = Atomic<Int>(0)
        let mostOut = Atomic<Int>(0)
        private let out = Atomic<Int>(0)

        init(_ permits: Permits) { self.permits = permits }

        /// Does what the holder's permits allow, and what those allow that are handed on.
        func run(_ first: Holder) {
            var grants: [PermitLedger.Grant] = []
            permits.setTarget(2, of: first.seat.load(ordering: .acquiring), &grants)
            while let grant = grants.popLast() {
                let holder = unsafeDowncast(grant.holder, to: Holder.self)
                for _ in 0..<grant.count {
                    mostOut.max(out.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
                    let left = holder.left.wrappingSubtract(1, ordering: .relaxed).oldValue
                    if left > 0 { served.wrappingAdd(1, ordering: .relaxed) }
                    out.wrappingSubtract(1, ordering: .relaxed)
                    let seat = holder.seat.load(ordering: .acquiring)
                    permits.release(1, of: seat, nil, target: min(2, max(0, left - 1)), &grants)
                }
            }
        }
    }

    @Test("what an adaptive limit admits is what its algorithm says, and it hears of each sample once")
    func adaptive() {
        let permits = Permits(.aimd(AIMD()))
        var grants: [PermitLedger.Grant] = []
        let healthy = Sample(roundTrip: .microseconds(60), isDrop: false, inFlight: 20)
        let timeout = Sample(roundTrip: .milliseconds(500), isDrop: true)
        let (seat, count) = permits.enter([Holder(lookups: 0)], of: "a", target: 100)[0]
        #expect(count == 20)
        #expect(permits.keep(seat, healthy, target: 100, &grants))
        #expect(permits.bound == 21)
        #expect(grants.map(\.count) == [1], "the limit has grown by one")
        permits.release(1, of: seat, nil, target: 100, &grants)
        #expect(permits.bound == 21, "nothing was exchanged")
        permits.release(1, of: seat, timeout, target: 100, &grants)
        #expect(permits.bound == 20, "floor(18.9), and not below the minimum")
    }

    @Test("a sample counts what was in flight when its exchange began, whatever is at its end")
    func inFlightAtTheBeginning() {
        let permits = Permits(.aimd(AIMD()))
        #expect((0..<3).map { _ in permits.beginExchange() } == [1, 2, 3])
        permits.endExchange()
        #expect(permits.beginExchange() == 3)
        var grants: [PermitLedger.Grant] = []
        let (seat, _) = permits.enter([Holder(lookups: 0)], of: "a", target: 100)[0]
        for (inFlight, bound) in [(9, 20), (10, 21)] {
            let sample = Sample(roundTrip: .microseconds(60), isDrop: false, inFlight: inFlight)
            _ = permits.keep(seat, sample, target: 100, &grants)
            #expect(permits.bound == bound, "half of the limit or more is in use")
        }
    }

    @Test(
        "whoever gives back at once, no more permits are out than there are, and all lookups are served",
        arguments: [PermitLedger.Order.arrival, .fairness]
    )
    func concurrent(order: PermitLedger.Order) async {
        let permits = Permits(3, order: order)
        let holders = (0..<16).map { _ in Holder(lookups: 2000) }
        for (index, holder) in holders.enumerated() {
            holder.seat.store(
                permits.enter([holder], of: "caller \(index % 5)", target: 0)[0].seat,
                ordering: .releasing
            )
        }
        let service = Service(permits)
        await withTaskGroup { group in
            for start in 0..<4 {
                group.addTask { for index in stride(from: start, to: 16, by: 4) { service.run(holders[index]) } }
            }
        }
        #expect(service.served.load(ordering: .relaxed) == 16 * 2000)
        #expect(service.mostOut.load(ordering: .relaxed) <= 3)
        var grants: [PermitLedger.Grant] = []
        for holder in holders { permits.leave(holder.seat.load(ordering: .relaxed), &grants) }
        #expect(grants.isEmpty)
        #expect(permits.enter([Holder(lookups: 0)], of: "last", target: 9)[0].permits == 3)
    }
}
