internal import CLinux
internal import Glibc

/// A point in time to wait for with a ``Poller``, to the nanosecond where its own waits count milliseconds. timerfd(2)
package struct Timer: ~Copyable, Sendable {
    package let descriptor: Descriptor

    /// - Throws: ``SystemCallError``
    package init() throws(SystemCallError) {
        descriptor = Descriptor(
            owning: CInt(
                try systemCall("timerfd_create") {
                    Int(timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK)))
                }
            )
        )
    }

    /// Becomes readable at that moment, or at once when it is over; nil not at all. timerfd_settime(2)
    package func set(_ instant: MonotonicInstant?) {
        var time = itimerspec()
        if let instant {
            // 0 would switch it off.
            let nanoseconds = max(1, instant.nanoseconds)
            time.it_value = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000),
                tv_nsec: Int(nanoseconds % 1_000_000_000)
            )
        }
        // It can fail only for a time that is none.
        _ = timerfd_settime(descriptor.rawValue, CInt(TFD_TIMER_ABSTIME), &time, nil)
    }

    /// Lets the calling thread's timers end within a microsecond of their time; the kernel otherwise gathers those of 50.
    /// prctl(2) PR_SET_TIMERSLACK
    package static func sharpenForThisThread() {
        linux_set_timer_slack(1000)
    }
}
