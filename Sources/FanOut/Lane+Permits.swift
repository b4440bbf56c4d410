internal import Limits
internal import POSIX
internal import Synchronization
internal import Telemetry

/// How a lane shares with others: permits, and what it has done for a batch.
extension Lane {
    /// Takes a permit for the next operation, if there is one.
    func acquire(for share: Share) -> Bool {
        if share.spare > 0 {
            share.spare -= 1
            return true
        }
        if share.batch.limiter.tryAcquire() { return true }
        context.permitWanted.store(true, ordering: .sequentiallyConsistent)
        // One given back since then was perhaps given back by a lane that did not see the flag, and woke nobody.
        return share.batch.limiter.tryAcquire()
    }

    /// An operation is over, or was none.
    func returnPermit(of share: Share, _ sample: Sample?) {
        share.inFlight -= 1
        if share.keepsPermits, share.hasWorkToIssue {
            share.spare += 1
        } else {
            // Before another lane takes the permit: no more shall be seen in flight than the limit admits.
            reportInFlight(share)
            share.batch.limiter.release(sample)
            // Who gives a permit back takes it again for its own work, if it may.
            if !share.hasWorkToIssue || share.batch.limiter.isOrdered { wakeThoseWaiting() }
        }
        if share.inFlight == 0 { report(share) }
    }

    /// The work that permits were kept for was taken by another lane.
    func giveBackSpare(of share: Share) {
        guard share.spare > 0 else { return }
        reportInFlight(share)
        for _ in 0..<share.spare { share.batch.limiter.release(nil) }
        share.spare = 0
        wakeThoseWaiting()
    }

    /// A lane that waits for a permit may have its turn now.
    func wakeThoseWaiting() {
        if context.permitWanted.exchange(false, ordering: .sequentiallyConsistent) { wakeOthers() }
    }

    func wakeOthers() {
        for lane in lanes where lane !== self { lane.poller.wake() }
    }

    /// Adds what was done for a batch to what everybody sees; the last key settled completes the batch.
    func report(_ share: Share) {
        reportInFlight(share)
        let untold = share.untold
        share.untold = .init()
        if untold.hits > 0 { context.counters.hits.add(untold.hits) }
        if untold.finished > 0 { share.batch.finish(untold.finished) }
    }

    func reportInFlight(_ share: Share) {
        let change = share.untold.inFlight
        guard change != 0 else { return }
        share.untold.inFlight = 0
        share.batch.account.inFlight.add(change)
        context.counters.inFlight.add(change)
    }
}
