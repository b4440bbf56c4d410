internal import POSIX

/// When freed memory goes back to the kernel, as a value: what is held and resident in, what to do out.
///
/// The allocator keeps what was freed, as the next batch takes it again: given back and taken anew, every page is a
/// fault. After an incident it keeps all that the incident took, for as long as the process lives. So while a crowd of
/// batches holds much, what is freed goes back at once; and once there has been little to do for a while, what lies
/// between allocations in use does too.
struct TrimSchedule {
    struct Decision: Equatable {
        /// Whether freed memory is kept for the next batch.
        var keepsFreed: Bool
        /// Whether to give back now what is kept.
        var trims: Bool
    }

    /// Memory that is worth a trim: it takes the allocator's locks.
    static let worthwhile = 32 << 20
    /// Bytes of requests and answers from which on batches are a crowd: three or four of the incident's.
    static let crowd = 64 << 20

    private let calm: Duration
    /// Bytes that were resident after the last trim, less those that were held then.
    private var base: Int
    /// The most bytes that were held at once since it was last calm.
    private var highest = 0
    private var calmSince: MonotonicInstant?

    /// - Parameters:
    ///   - calm: how long there must have been little to do.
    ///   - resident: bytes that are resident before there was anything to do.
    init(calm: Duration, resident: Int) {
        self.calm = calm
        base = resident
    }

    /// - Parameters:
    ///   - peakHeld: the most bytes of requests and answers that were held since the last look.
    ///   - resident: bytes that are resident now.
    mutating func look(peakHeld: Int, resident: Int, at now: MonotonicInstant) -> Decision {
        highest = max(highest, peakHeld)
        base = min(base, resident)
        guard isCalm(peakHeld, at: now) else { return Decision(keepsFreed: highest <= Self.crowd, trims: false) }
        // Much and little are measured anew.
        highest = peakHeld
        calmSince = nil
        return Decision(keepsFreed: highest <= Self.crowd, trims: resident - base > Self.worthwhile)
    }

    private mutating func isCalm(_ peakHeld: Int, at now: MonotonicInstant) -> Bool {
        guard peakHeld <= highest / 4 else {
            calmSince = nil
            return false
        }
        let since = calmSince ?? now
        calmSince = since
        return now - since >= calm
    }

    /// - Parameters:
    ///   - resident: bytes that are left.
    ///   - held: how many of them are of requests and answers, and will be freed.
    mutating func trimmed(resident: Int, held: Int) {
        base = max(0, resident - held)
    }
}
