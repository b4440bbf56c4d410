package import POSIX

/// What the kernel says of a process. proc_pid_status(5)
package struct ProcessStatus: Sendable, Equatable {
    package var threads: Int
    /// Resident memory in bytes.
    package var residentBytes: Int

    /// - Parameter process: its id, or nil for this process.
    /// - Throws: ``SystemCallError``, ENOENT when there is no such process.
    package static func read(_ process: Int32? = nil) throws(SystemCallError) -> ProcessStatus {
        let text = try KernelFile.read("/proc/\(process.map { "\($0)" } ?? "self")/status")
        return ProcessStatus(
            threads: KernelFile.field("Threads", of: text).flatMap { Int($0) } ?? 0,
            residentBytes: (KernelFile.field("VmRSS", of: text).flatMap { Int($0) } ?? 0) * 1024
        )
    }
}
