internal import Glibc
internal import Units

/// What this process has used so far. getrusage(2)
package struct ProcessUsage: Sendable {
    package var processorTime: Duration
    /// Resident, the most there was.
    package var peakBytes: Int

    package static var current: ProcessUsage {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func duration(_ time: timeval) -> Duration { .seconds(time.tv_sec) + .microseconds(time.tv_usec) }
        // Counted in KiB.
        return ProcessUsage(
            processorTime: duration(usage.ru_utime) + duration(usage.ru_stime),
            peakBytes: usage.ru_maxrss << 10
        )
    }
}
