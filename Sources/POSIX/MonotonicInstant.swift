internal import Glibc
internal import Units

/// A point on the monotonic clock, in nanoseconds. One read costs some 25 ns through the
/// vDSO, which is why lookups use it in place of `ContinuousClock`. clock_gettime(2)
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (instant: Self, duration: Duration) -> Self {
        Self(nanoseconds: instant.nanoseconds &+ UInt64(max(0, duration.wholeNanoseconds)))
    }

    /// Time from `right` to `left`; negative when `left` came first.
    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(Int64(bitPattern: left.nanoseconds &- right.nanoseconds))
    }
}

/// Puts the calling thread to sleep. clock_nanosleep(2)
package func sleepThread(for duration: Duration) {
    sleepThread(until: .now + duration)
}

/// Puts the calling thread to sleep until a point on the monotonic clock. clock_nanosleep(2)
package func sleepThread(until instant: MonotonicInstant) {
    var time = timespec(
        tv_sec: Int(instant.nanoseconds / 1_000_000_000),
        tv_nsec: Int(instant.nanoseconds % 1_000_000_000)
    )
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}
