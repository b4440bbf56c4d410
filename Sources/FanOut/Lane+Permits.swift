internal import Limits
internal import POSIX
internal import Telemetry

/// How a lane shares with others: permits, and what it has done for a batch.
extension Lane {
    /// An operation is over: its permit is used again, or is somebody else's turn.
    func returnPermit(of slice: BatchSlice, _ sample: Sample?) {
        let slot = slice.slot!
        defer {
            // Its answer does not wait for the end of the turn.
            if schedule.isOver(slot) { report(slice) }
        }
        switch schedule.ended(slot, work: slice.work, cap: slice.cap) {
        case .nothing: return
        case .ask(let target):
            slice.batch.permits!.setTarget(target, of: slice.seat!.number, &grants)
        case .offer(let target, let again):
            let permits = slice.batch.permits!
            let seat = slice.seat!.number
            if again, permits.keep(seat, sample, target: target, &grants) {
                schedule.grant(1, to: slot)
            } else {
                // Before another lane takes the permit: no more shall be seen in flight than the limit admits.
                reportInFlight(slice)
                permits.release(1, of: seat, again ? nil : sample, target: target, &grants)
            }
        }
        handOut()
    }

    /// A slice wants less than it did, and has permits left over.
    func lower(_ slice: BatchSlice, to target: Int, _ surplus: Int) {
        slice.batch.permits!.release(surplus, of: slice.seat!.number, nil, target: target, &grants)
        handOut()
    }

    /// A slice is over, and gives up its seat.
    func leave(_ slice: BatchSlice) {
        guard let permits = slice.batch.permits else { return }
        permits.leave(slice.seat!.number, &grants)
        handOut()
    }

    /// Takes permits for a slice of the lane that waited for them.
    func accept(_ permits: Int, for slice: BatchSlice) {
        if let slot = slice.slot {
            schedule.grant(permits, to: slot)
        } else if !slice.isOver {
            slice.earlyPermits += permits
        }
    }

    /// Tells those that got permits, on this lane or another.
    private func handOut() {
        guard !grants.isEmpty else { return }
        for grant in grants { grant.tell(on: self) }
        grants.removeAll(keepingCapacity: true)
    }

    /// Adds what was done for a batch to what everybody sees; the last key settled completes the batch.
    func report(_ slice: BatchSlice) {
        reportInFlight(slice)
        let unflushed = slice.unflushed
        slice.unflushed = .init()
        if unflushed.hits > 0 { context.counters.hits.add(unflushed.hits) }
        if unflushed.finished > 0 { slice.batch.finish(unflushed.finished) }
    }

    func reportInFlight(_ slice: BatchSlice) {
        let change = slice.unflushed.inFlight
        guard change != 0 else { return }
        slice.unflushed.inFlight = 0
        slice.batch.account.inFlight.add(change)
        context.counters.inFlight.add(change)
    }
}

extension PermitLedger.Grant {
    /// Tells the slice that holds the seat.
    /// - Parameter lane: whose thread this is; nil on a thread that is no lane's.
    func tell(on lane: Lane?) {
        let slice = unsafeDowncast(holder, to: BatchSlice.self)
        if slice.lane === lane {
            slice.lane.accept(count, for: slice)
        } else {
            slice.lane.hand(count, to: slice)
        }
    }
}
