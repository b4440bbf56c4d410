internal import Glibc

/// The time of day, for what is shown or sent to others; intervals are measured with ``MonotonicInstant``.
package enum RealTime {
    /// clock_gettime(2) CLOCK_REALTIME
    package static var nanosecondsSince1970: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
