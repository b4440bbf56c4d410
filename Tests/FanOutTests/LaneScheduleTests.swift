import Limits
import POSIX
import Testing
import Units

@testable import FanOut

/// What a lane does next, without a socket.
@Suite("Lane schedule")
struct LaneScheduleTests {
    private let start = MonotonicInstant(nanoseconds: 1)

    /// Runs a turn in which each request takes no time, and says which slots issued.
    private func turn(_ schedule: inout LaneSchedule, left: inout [Int: Int], each: Duration = .zero) -> [Int] {
        var now = start
        var issued: [Int] = []
        schedule.beginTurn(at: now)
        while let slot = schedule.next(at: now) {
            issued.append(slot)
            left[slot]! -= 1
            now = now + each
            schedule.started(slot, true, work: left[slot]!)
        }
        return issued
    }

    @Test("batches without a limit take turns of 64, and none is left out")
    func unlimited() {
        var schedule = LaneSchedule()
        var left: [Int: Int] = [:]
        for work in [100, 70, 30] { left[schedule.add(work: work, permits: nil)] = work }
        let first = turn(&schedule, left: &left)
        #expect(
            first == Array(repeating: 0, count: 64) + Array(repeating: 1, count: 64) + Array(repeating: 2, count: 30)
        )
        #expect(schedule.isRunnable)
        #expect(turn(&schedule, left: &left) == Array(repeating: 0, count: 36) + Array(repeating: 1, count: 6))
        #expect(!schedule.isRunnable)
    }

    @Test("where requests take their time, a turn is over after two milliseconds, and the next begins with who is next")
    func slowRequests() {
        var schedule = LaneSchedule()
        var left: [Int: Int] = [:]
        for _ in 0..<3 { left[schedule.add(work: 10, permits: nil)] = 10 }
        let each = Duration.milliseconds(1)
        #expect(turn(&schedule, left: &left, each: each) == [0, 0])
        #expect(turn(&schedule, left: &left, each: each) == [1, 1])
        #expect(turn(&schedule, left: &left, each: each) == [2, 2])
        #expect(turn(&schedule, left: &left, each: each) == [0, 0])
    }

    @Test("batches under a limit have 16 requests a turn together, as far as their permits go, the first one first")
    func limited() {
        var schedule = LaneSchedule()
        var left: [Int: Int] = [:]
        left[schedule.add(work: 50, permits: 10, target: 50)] = 50
        left[schedule.add(work: 50, permits: 40, target: 50)] = 50
        left[schedule.add(work: 50, permits: 0, target: 50)] = 50
        #expect(turn(&schedule, left: &left) == Array(repeating: 0, count: 10) + Array(repeating: 1, count: 6))
        #expect(turn(&schedule, left: &left) == Array(repeating: 1, count: 16))
        #expect(turn(&schedule, left: &left) == Array(repeating: 1, count: 16))
        #expect(turn(&schedule, left: &left) == Array(repeating: 1, count: 2))
        #expect(!schedule.isRunnable, "the rest waits for permits")
    }

    @Test("slow dials of one batch without a limit do not keep those under a limit from issuing")
    func bothKinds() {
        var schedule = LaneSchedule()
        var left: [Int: Int] = [:]
        left[schedule.add(work: 10, permits: nil)] = 10
        left[schedule.add(work: 10, permits: 10, target: 10)] = 10
        #expect(turn(&schedule, left: &left, each: .milliseconds(3)) == [0, 1])
    }

    @Test("a permit goes on with its batch, is offered to the limit, or stays where it is nobody else's")
    func permitUse() {
        var schedule = LaneSchedule()
        let shared = schedule.add(work: 5, permits: 2, target: 4)
        let own = schedule.add(work: 5, permits: 2, target: 2, keepsPermits: true)
        var left = [shared: 5, own: 5]
        _ = turn(&schedule, left: &left)
        #expect(schedule.ended(shared, work: 3, cap: 4) == .offer(target: 4, again: true))
        #expect(schedule.ended(own, work: 3, cap: 2) == .nothing)
        #expect(schedule.nextAfterReply() == own)
        schedule.started(own, true, work: 0)
        #expect(schedule.ended(own, work: 0, cap: 2) == .offer(target: 1, again: false))
        // A reply of many keys leaves more to write back than it had lookups.
        let small = schedule.add(work: 1, permits: 1, target: 1, keepsPermits: true)
        left[small] = 1
        _ = turn(&schedule, left: &left)
        #expect(schedule.ended(small, work: 500, cap: 8) == .ask(target: 8))
    }

    @Test("a slice that kept a permit whose work another lane took issues what its own next miss leaves to be done")
    func workAfterNone() {
        var schedule = LaneSchedule()
        let slot = schedule.add(work: 2, permits: 2, target: 2, keepsPermits: true)
        schedule.beginTurn(at: start)
        #expect(schedule.next(at: start) == slot)
        schedule.started(slot, true, work: 1)
        #expect(schedule.next(at: start) == slot)
        // Another lane had claimed the last unit.
        schedule.started(slot, false, work: 0)
        #expect(schedule.next(at: start) == nil)
        // The one in flight is a miss, to be written back.
        #expect(schedule.ended(slot, work: 1, cap: 2) == .offer(target: 1, again: false))
        #expect(schedule.takeTouched() == slot)
        #expect(schedule.settle(slot, work: 1, cap: 2) == .init())
        #expect(schedule.isRunnable)
        schedule.beginTurn(at: start)
        #expect(schedule.next(at: start) == slot)
    }

    @Test("permits whose work another lane did are given back, and a slice with nothing left is over")
    func settlements() {
        var schedule = LaneSchedule()
        let slot = schedule.add(work: 20, permits: 3, target: 8)
        #expect(schedule.takeTouched() == slot)
        #expect(schedule.settle(slot, work: 20, cap: 8) == .init())
        #expect(schedule.settle(slot, work: 1, cap: 8) == .init(surplus: 2, target: 1))
        #expect(schedule.settle(slot, work: 0, cap: 8) == .init(isOver: true))
        schedule.remove(slot)
        #expect(schedule.count == 0)
        // It still stands in a queue, which must not be taken for the next one in its slot.
        let next = schedule.add(work: 1, permits: 0, target: 1)
        schedule.beginTurn(at: start)
        #expect(schedule.next(at: start) == nil)
        #expect(!schedule.isRunnable)
        schedule.grant(1, to: next)
        #expect(schedule.nextAfterReply() == next)
    }

    @Test("the slot of a slice that ends while it stands in a queue is given to one other")
    func slots() {
        var schedule = LaneSchedule()
        let ended = schedule.add(work: 1, permits: 1, target: 1)
        _ = schedule.settle(ended, work: 0, cap: 1)
        schedule.remove(ended)
        #expect(schedule.isRunnable)
        schedule.beginTurn(at: start)
        #expect(schedule.next(at: start) == nil)
        let slots = (0..<4).map { _ in schedule.add(work: 1, permits: 0, target: 1) }
        #expect(Set(slots).count == 4)
        #expect(slots.contains(ended))
    }

    @Test("who waits too long for the first permit is refused, whoever has issued or ended is not")
    func refusals() {
        var schedule = LaneSchedule()
        let late = start + .seconds(10)
        let waits = schedule.add(work: 5, permits: 0, target: 5, refusedAt: late)
        let begins = schedule.add(work: 5, permits: 0, target: 5, refusedAt: start + .seconds(5))
        let ends = schedule.add(work: 0, permits: 0, target: 0, refusedAt: start + .seconds(1))
        schedule.remove(ends)
        schedule.grant(1, to: begins)
        var left = [begins: 5]
        #expect(turn(&schedule, left: &left) == [begins])
        #expect(schedule.nextRefusal == late)
        #expect(schedule.takeRefusal(at: start + .seconds(9)) == nil)
        #expect(schedule.takeRefusal(at: late) == waits)
        #expect(schedule.takeRefusal(at: late) == nil)
        #expect(schedule.nextRefusal == nil)
    }

    @Test("a reply concerns its own batch and the one that gets its permit, however many wait", arguments: [10, 5000])
    func flat(waiting: Int) {
        var schedule = LaneSchedule()
        let busy = schedule.add(work: 1000, permits: 4, target: 64)
        for _ in 0..<waiting { _ = schedule.add(work: 50, permits: 0, target: 50) }
        var left = [busy: 1000]
        #expect(turn(&schedule, left: &left) == [busy, busy, busy, busy])
        while schedule.takeTouched() != nil {}
        for reply in 0..<50 {
            #expect(schedule.ended(busy, work: 996 - reply, cap: 64) == .offer(target: 64, again: true))
            schedule.grant(1, to: busy)
            #expect(schedule.nextAfterReply() == busy)
            schedule.started(busy, true, work: 995 - reply)
            #expect(!schedule.isRunnable)
            #expect(schedule.takeTouched() == busy)
            #expect(schedule.takeTouched() == nil)
        }
    }

    // MARK: Many lanes

    enum Kind: CaseIterable {
        case none, request, process, fair, adaptive
    }

    @Test(
        "whatever the order of events, all batches end, each lookup has a permit, and none is lost",
        arguments: Kind.allCases,
        1...8
    )
    func world(kind: Kind, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var world = LaneWorld(lanes: .random(in: 1...6, using: &random), seed: seed)
        let shared: Int? =
            switch kind {
            case .none, .request: nil
            case .process, .adaptive: world.addLedger(capacity: .random(in: 1...8, using: &random), order: .arrival)
            case .fair: world.addLedger(capacity: .random(in: 1...8, using: &random), order: .fairness)
            }
        var batches: [LaneWorld.Batch] = []
        var steps = 0
        while batches.count < 60 || batches.contains(where: { $0.left > 0 }) {
            if batches.count < 60, Int.random(in: 0..<4, using: &random) == 0 {
                let ledger =
                    kind == .request
                    ? world.addLedger(capacity: .random(in: 1...100, using: &random), order: .arrival) : shared
                batches.append(
                    world.submit(
                        units: .random(in: 1...80, using: &random),
                        of: "caller \(Int.random(in: 0..<3, using: &random))",
                        ledger: ledger,
                        keepsPermits: kind == .request,
                        refusedAfter: kind == .process ? .milliseconds(200) : nil
                    )
                )
            }
            if kind == .adaptive, let shared, steps.isMultiple(of: 50) {
                world.setCapacity(.random(in: 1...8, using: &random), of: shared)
            }
            let moved = world.step()
            steps += 1
            guard moved || batches.count < 60, steps < 200_000 else { break }
        }
        // What came after the last answer.
        while world.step() {}
        #expect(batches.allSatisfy { $0.left == 0 }, "\(batches.count { $0.left > 0 }) batches never ended")
        #expect(Set(world.faults) == [])
        #expect(world.remains == [])
    }
}
