import Limits
import POSIX
import Units

@testable import FanOut

/// Lanes without threads, sockets and clocks: schedules and ledgers, driven as `Lane` drives them, in a random order.
/// A lane that sleeps does nothing until something is sent to it or one of its lookups is answered.
struct LaneWorld {
    // Safe: a world stays on one thread; sendable as the ledger wants its holders to be.
    final class Batch: Sendable {
        nonisolated(unsafe) var unclaimed: Int
        /// Write-backs and lookups that have not ended.
        nonisolated(unsafe) var left: Int
        nonisolated(unsafe) var hasBegun = false
        nonisolated(unsafe) var isRefused = false

        init(units: Int) {
            unclaimed = units
            left = units
        }
    }

    // Safe: as above.
    final class Slice: Sendable {
        let batch: Batch
        let lane: Int
        let ledger: Int?
        let keepsPermits: Bool
        nonisolated(unsafe) var seat = -1
        nonisolated(unsafe) var slot: Int?
        nonisolated(unsafe) var isOver = false
        nonisolated(unsafe) var early = 0
        nonisolated(unsafe) var first = (permits: 0, target: 0)
        nonisolated(unsafe) var claimed = 0
        nonisolated(unsafe) var toStore = 0
        nonisolated(unsafe) var inFlight = 0
        nonisolated(unsafe) var refusedAt: MonotonicInstant?
        let sliceCount: Int

        init(_ batch: Batch, on lane: Int, of sliceCount: Int, ledger: Int?, keepsPermits: Bool) {
            self.batch = batch
            self.lane = lane
            self.sliceCount = sliceCount
            self.ledger = ledger
            self.keepsPermits = keepsPermits
        }

        var work: Int { claimed + toStore + (batch.isRefused ? 0 : batch.unclaimed) }
    }

    private struct Lane {
        var schedule = LaneSchedule()
        var slices: [Slice?] = []
        var inFlight: [Slice] = []
        var submitted: [Slice] = []
        var granted: [(slice: Slice, count: Int)] = []
        var changed: [Slice] = []

        var hasMail: Bool { !submitted.isEmpty || !granted.isEmpty || !changed.isEmpty }
    }

    private var lanes: [Lane]
    private(set) var ledgers: [PermitLedger] = []
    /// How much is in flight under each ledger.
    private var inFlight: [Int] = []
    private var random: SplitMix64
    private var now = MonotonicInstant(nanoseconds: 1)
    /// What must never be, and was.
    private(set) var faults: [String] = []
    private(set) var issued = 0
    /// Lanes that are in the middle of something, while others go on.
    private var busy: Set<Int> = []

    init(lanes count: Int, seed: UInt64) {
        lanes = Array(repeating: Lane(), count: count)
        random = SplitMix64(seed: seed)
    }

    mutating func addLedger(capacity: Int, order: PermitLedger.Order) -> Int {
        ledgers.append(PermitLedger(capacity: capacity, order: order))
        inFlight.append(0)
        return ledgers.count - 1
    }

    /// A batch arrives at some of the lanes.
    mutating func submit(
        units: Int,
        of caller: String,
        ledger: Int?,
        keepsPermits: Bool = false,
        refusedAfter: Duration? = nil
    ) -> Batch {
        let batch = Batch(units: units)
        let count = min(lanes.count, (units + 15) / 16)
        let first = Int.random(in: 0..<lanes.count, using: &random)
        let slices = (0..<count).map {
            Slice(batch, on: (first + $0) % lanes.count, of: count, ledger: ledger, keepsPermits: keepsPermits)
        }
        if let ledger {
            ledgers[ledger].beginBatch()
            for slice in slices {
                slice.first.target = min(cap(of: slice), (units + count - 1) / count)
                slice.seat = ledgers[ledger].enter(slice, of: caller, target: slice.first.target)
            }
            var grants: [PermitLedger.Grant] = []
            ledgers[ledger].grantNext(to: &grants)
            for slice in slices { slice.first.permits = ledgers[ledger].held(slice.seat) }
            if slices.allSatisfy({ $0.first.permits == 0 }), let refusedAfter {
                slices[0].refusedAt = now + refusedAfter
            }
        }
        for slice in slices { lanes[slice.lane].submitted.append(slice) }
        return batch
    }

    /// Lets one lane do something.
    /// - Returns: false when all of them sleep.
    mutating func step() -> Bool {
        now = now + .microseconds(Int64.random(in: 1...500, using: &random))
        let awake = lanes.indices.filter { index in
            let lane = lanes[index]
            return lane.hasMail || lane.schedule.isRunnable || !lane.inFlight.isEmpty
                || lane.schedule.nextRefusal.map { $0 <= now } ?? false
        }
        guard let lane = awake.randomElement(using: &random) else {
            guard let next = lanes.compactMap(\.schedule.nextRefusal).min() else { return false }
            now = next
            return true
        }
        goAround(lane)
        return true
    }

    /// A lane wakes, and goes around once before it sleeps again.
    private mutating func goAround(_ lane: Int) {
        busy.insert(lane)
        defer { busy.remove(lane) }
        for _ in 0..<Int.random(in: 0...3, using: &random) where !lanes[lane].inFlight.isEmpty {
            answer(lane)
            letOthersGoOn()
        }
        expire(lane)
        takeIn(lane)
        lanes[lane].schedule.beginTurn(at: now)
        while let slot = lanes[lane].schedule.next(at: now) {
            now = now + .microseconds(Int64.random(in: 1...300, using: &random))
            letOthersGoOn()
            issue(lane, slot)
        }
        settle(lane)
    }

    /// What a lane has decided may have changed by the time it acts: others claim the work of the same batches.
    private mutating func letOthersGoOn() {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        let others = lanes.indices.filter { lane in
            !busy.contains(lane)
                && (lanes[lane].hasMail || lanes[lane].schedule.isRunnable || !lanes[lane].inFlight.isEmpty)
        }
        if let other = others.randomElement(using: &random) { goAround(other) }
    }

    mutating func setCapacity(_ capacity: Int, of ledger: Int) {
        ledgers[ledger].capacity = capacity
        grantNext(ledger, from: nil)
    }

    /// What is left when all batches are done; empty if nothing is.
    var remains: [String] {
        var remains: [String] = []
        for (index, lane) in lanes.enumerated() {
            if lane.schedule.count > 0 { remains.append("lane \(index) has \(lane.schedule.count) slices") }
            if lane.schedule.isRunnable { remains.append("lane \(index) is runnable") }
            if lane.schedule.nextRefusal != nil { remains.append("lane \(index) would refuse something") }
        }
        for (index, ledger) in ledgers.enumerated() where ledger.out > 0 || ledger.isWaitedFor {
            remains.append("ledger \(index) has \(ledger.out) permits out")
        }
        return remains
    }

    // MARK: As Lane does it

    private func cap(of slice: Slice) -> Int {
        slice.ledger.map { (ledgers[$0].capacity + slice.sliceCount - 1) / slice.sliceCount } ?? 0
    }

    private mutating func takeIn(_ lane: Int) {
        let (submitted, granted, changed) = (lanes[lane].submitted, lanes[lane].granted, lanes[lane].changed)
        lanes[lane].submitted = []
        lanes[lane].granted = []
        lanes[lane].changed = []
        for slice in submitted {
            let slot = lanes[lane].schedule.add(
                work: slice.work,
                permits: slice.ledger == nil ? nil : slice.first.permits + slice.early,
                target: slice.first.target,
                keepsPermits: slice.keepsPermits,
                refusedAt: slice.refusedAt
            )
            slice.slot = slot
            while lanes[lane].slices.count <= slot { lanes[lane].slices.append(nil) }
            if lanes[lane].slices[slot] != nil { faults.append("a slot was given twice") }
            lanes[lane].slices[slot] = slice
        }
        for grant in granted { accept(grant.count, for: grant.slice) }
        for slice in changed { if let slot = slice.slot { lanes[lane].schedule.touch(slot) } }
    }

    private mutating func accept(_ count: Int, for slice: Slice) {
        if let slot = slice.slot {
            lanes[slice.lane].schedule.grant(count, to: slot)
        } else if !slice.isOver {
            slice.early += count
        }
    }

    private mutating func issue(_ lane: Int, _ slot: Int) {
        let slice = lanes[lane].slices[slot]!
        let isStarted: Bool
        if slice.toStore > 0 {
            slice.toStore -= 1
            isStarted = true
        } else {
            if slice.claimed == 0, slice.work > 0 {
                slice.batch.hasBegun = true
                slice.claimed = min(8, slice.batch.unclaimed)
                slice.batch.unclaimed -= slice.claimed
            }
            isStarted = slice.claimed > 0
            if isStarted { slice.claimed -= 1 }
        }
        if isStarted {
            issued += 1
            slice.inFlight += 1
            lanes[lane].inFlight.append(slice)
            if let ledger = slice.ledger {
                inFlight[ledger] += 1
                if slice.inFlight > ledgers[ledger].held(slice.seat) { faults.append("a lookup without a permit") }
            }
        }
        lanes[lane].schedule.started(slot, isStarted, work: slice.work)
    }

    /// One lookup ends: a third of them with something to be written back.
    private mutating func answer(_ lane: Int) {
        let index = lanes[lane].inFlight.indices.randomElement(using: &random)!
        let slice = lanes[lane].inFlight.remove(at: index)
        slice.inFlight -= 1
        if Int.random(in: 0..<3, using: &random) == 0 { slice.toStore += 1 } else { slice.batch.left -= 1 }
        switch lanes[lane].schedule.ended(slice.slot!, work: slice.work, cap: cap(of: slice)) {
        case .nothing:
            if let ledger = slice.ledger { inFlight[ledger] -= 1 }
        case .ask(let target):
            inFlight[slice.ledger!] -= 1
            ledgers[slice.ledger!].setTarget(target, of: slice.seat)
            grantNext(slice.ledger!, from: lane)
        case .offer(let target, let again):
            let ledger = slice.ledger!
            inFlight[ledger] -= 1
            if again, ledgers[ledger].keep(slice.seat, target: target) {
                lanes[lane].schedule.grant(1, to: slice.slot!)
            } else {
                ledgers[ledger].release(1, of: slice.seat, target: target)
            }
            grantNext(ledger, from: lane)
        }
        if let slot = lanes[lane].schedule.nextAfterReply() {
            letOthersGoOn()
            issue(lane, slot)
        }
    }

    private mutating func settle(_ lane: Int) {
        while let slot = lanes[lane].schedule.takeTouched() {
            let slice = lanes[lane].slices[slot]!
            let settlement = lanes[lane].schedule.settle(slot, work: slice.work, cap: cap(of: slice))
            if settlement.isOver {
                if slice.inFlight > 0 { faults.append("removed with lookups in flight") }
                lanes[lane].schedule.remove(slot)
                lanes[lane].slices[slot] = nil
                slice.slot = nil
                slice.isOver = true
                guard let ledger = slice.ledger else { continue }
                ledgers[ledger].leave(slice.seat)
                grantNext(ledger, from: lane)
            } else if let target = settlement.target {
                ledgers[slice.ledger!].release(settlement.surplus, of: slice.seat, target: target)
                grantNext(slice.ledger!, from: lane)
            }
        }
    }

    private mutating func expire(_ lane: Int) {
        while let slot = lanes[lane].schedule.takeRefusal(at: now) {
            let slice = lanes[lane].slices[slot]!
            guard !slice.batch.hasBegun else { continue }
            slice.batch.isRefused = true
            slice.batch.left = 0
            lanes[lane].schedule.touch(slot)
            for other in lanes.indices where other != lane {
                lanes[other].changed += lanes[other].slices.compactMap { $0 }.filter { $0.batch === slice.batch }
            }
        }
    }

    private mutating func grantNext(_ ledger: Int, from lane: Int?) {
        var grants: [PermitLedger.Grant] = []
        ledgers[ledger].grantNext(to: &grants)
        for grant in grants {
            let slice = grant.holder as! Slice
            if slice.lane == lane {
                accept(grant.count, for: slice)
            } else {
                lanes[slice.lane].granted.append((slice, grant.count))
            }
        }
        if inFlight[ledger] > ledgers[ledger].out { faults.append("more in flight than permits out") }
    }
}
