internal import Limits
internal import POSIX

/// One lane's part of one batch.
///
/// Unchecked: `batch`, `lane` and `firstLane` never change, `seat` and `refusedAt` are set before the slice is submitted to
/// its lane, and all else belongs to the lane's thread.
final class BatchSlice: @unchecked Sendable {
    /// What the lane did that others have not been told of. Each word of it takes memory from another core's cache, so
    /// it is said for many lookups at once: see ``Lane/report(_:)``.
    struct Unflushed {
        /// Lookups issued, less those answered.
        var inFlight = 0
        var hits = 0
        /// Keys settled.
        var finished = 0
    }

    struct Seat {
        let number: Int
        /// Permits it had from the beginning.
        let permits: Int
        /// Permits it wanted to hold from the beginning.
        let target: Int
    }

    let batch: Batch
    let lane: Lane
    /// Index of the lane with the batch's first slice; the others are on those that follow.
    private let firstLane: Int
    /// Its seat at the batch's ``Permits``; nil without a limit.
    var seat: Seat?
    /// When it is refused for having waited too long; on one of a batch's slices.
    var refusedAt: MonotonicInstant?

    /// Its slot in the lane's schedule; nil before the lane has taken it in, and once it is over.
    var slot: Int?
    /// Permits handed to it before the lane took it in.
    var earlyPermits = 0
    var isOver = false
    /// Operations that are looked at again once the batch is issued whole.
    var postponed: [OperationToken] = []
    // Unchecked: changed in place by the lane's thread, several times a lookup, and by nothing that calls back.
    /// Keys whose records are to be read from the store and set back.
    @exclusivity(unchecked) var toStore: [Int] = []
    @exclusivity(unchecked) var unflushed = Unflushed()

    /// Units claimed and not issued yet.
    @exclusivity(unchecked) private var claimed = 0..<0
    /// Units issued of the run that was claimed last.
    private var issued = 0

    init(_ batch: Batch, on lane: Lane, firstLane: Int) {
        self.batch = batch
        self.lane = lane
        self.firstLane = firstLane
    }

    /// The lanes with the batch's other slices.
    func otherLanes(of lanes: [Lane]) -> [Lane] {
        (0..<batch.sliceCount).map { lanes[(firstLane + $0) % lanes.count] }.filter { $0 !== lane }
    }

    /// The most permits it takes, so that one lane does not hold them all.
    var cap: Int {
        batch.permits.map { ($0.bound + batch.sliceCount - 1) / batch.sliceCount } ?? 0
    }

    /// Whether replies wait: without a limit a batch is issued whole before any of it is
    /// collected, which is what holds all of it in flight at once.
    var defersReplies: Bool { batch.permits == nil && !batch.isIssued }

    /// Operations it could start, as far as other lanes leave it some.
    var work: Int { claimed.count + toStore.count + batch.unclaimed }

    /// The next unit to look up, or nil when all are taken.
    func nextUnit() -> Batch.Unit? {
        if claimed.isEmpty {
            guard let run = batch.claim() else { return nil }
            claimed = run
        }
        return batch[unit: claimed.removeFirst()]
    }

    /// The request of a unit is out, or has failed.
    /// - Returns: whether it was the last of the batch.
    func markIssued() -> Bool {
        issued += 1
        guard claimed.isEmpty else { return false }
        defer { issued = 0 }
        return batch.markIssued(issued)
    }

    /// Settles a key.
    func finish(_ key: Int, _ outcome: Outcome) {
        batch.set(outcome, of: key)
        unflushed.finished += 1
    }
}
