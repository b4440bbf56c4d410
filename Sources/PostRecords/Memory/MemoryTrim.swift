package import HTTP
internal import KernelProbe
package import POSIX
internal import Units

/// Gives freed memory back to the kernel when there is little to do, from a thread of its own.
package enum MemoryTrim {
    /// Bytes of freed memory that are kept for each arena: what a batch of 20,000 takes, values and answer.
    private static let kept = 32 << 20
    /// The same while there is a crowd of batches.
    private static let keptOfCrowd = 1 << 20

    /// - Parameters:
    ///   - held: bytes of requests and answers that are held.
    ///   - calm: how long there must have been little to do.
    /// - Throws: ``SystemCallError`` when the thread cannot be made.
    package static func start(watching held: Allowance, calm: Duration) throws(SystemCallError) {
        let schedule = TrimSchedule(calm: calm, resident: residentBytes)
        FreedMemory.keep(upTo: kept)
        let pause = min(max(calm / 4, .milliseconds(20)), .seconds(5))
        try Thread(name: "memory-trim") {
            var schedule = schedule
            var keepsFreed = true
            while true {
                sleepThread(for: pause)
                let decision = schedule.look(peakHeld: held.takePeak(), resident: residentBytes, at: .now)
                if decision.trims {
                    FreedMemory.giveBack()
                    schedule.trimmed(resident: residentBytes, held: held.value)
                }
                if decision.keepsFreed != keepsFreed {
                    keepsFreed = decision.keepsFreed
                    FreedMemory.keepFromNowOn(upTo: keepsFreed ? kept : keptOfCrowd)
                }
            }
        }.detach()
    }

    /// 0 where the kernel does not say; then nothing is given back. proc_pid_statm(5)
    private static var residentBytes: Int {
        let fields = (try? KernelFile.read("/proc/self/statm"))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * FreedMemory.pageBytes
    }
}
