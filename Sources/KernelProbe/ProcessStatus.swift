internal import Glibc
package import POSIX

/// What the kernel says of a process. proc_pid_status(5)
package struct ProcessStatus: Sendable, Equatable {
    package var threads: Int
    /// Resident memory in bytes.
    package var residentBytes: Int
    package var openDescriptors: Int
    /// RLIMIT_NOFILE, the limit that holds.
    package var descriptorLimit: Int
    /// Whether a signal has stopped it, SIGSTOP as a rule.
    package var isStopped: Bool

    /// - Parameter process: its id, or nil for this process.
    /// - Throws: ``SystemCallError``, ENOENT when there is no such process.
    package static func read(_ process: Int32? = nil) throws(SystemCallError) -> ProcessStatus {
        let folder = "/proc/\(process.map { "\($0)" } ?? "self")"
        let text = try KernelFile.read("\(folder)/status")
        let limits = (try? KernelFile.read("\(folder)/limits")) ?? ""
        let files = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }?.split(separator: " ")
        return ProcessStatus(
            threads: KernelFile.field("Threads", of: text).flatMap { Int($0) } ?? 0,
            residentBytes: (KernelFile.field("VmRSS", of: text).flatMap { Int($0) } ?? 0) * 1024,
            openDescriptors: countDescriptors("\(folder)/fd"),
            descriptorLimit: files.flatMap { Int($0[3]) } ?? 0,
            isStopped: KernelFile.field("State", of: text) == "T"
        )
    }

    /// The most memory a process had resident so far, in bytes.
    /// - Throws: ``SystemCallError``, ENOENT when there is no such process.
    package static func peakResidentBytes(of process: Int32) throws(SystemCallError) -> Int? {
        let text = try KernelFile.read("/proc/\(process)/status")
        return KernelFile.field("VmHWM", of: text).flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// Processor time that all threads of a process have used, in steps of 10 ms as a rule. proc_pid_stat(5)
    /// - Throws: ``SystemCallError``, ENOENT when there is no such process.
    package static func processorTime(of process: Int32) throws(SystemCallError) -> Duration {
        // Of what follows the name, utime and stime are 12th and 13th.
        let fields = try fieldsAfterName(of: process)
        let ticks = fields.dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +)
        return .seconds(Double(ticks) / Double(max(1, sysconf(CInt(_SC_CLK_TCK)))))
    }

    /// What tells a process from others that had its number before, or will: when it started, in clock ticks since boot.
    /// Nil when there is no such process, or one that has ended. proc_pid_stat(5)
    package static func incarnation(of process: Int32) -> UInt64? {
        guard let fields = try? fieldsAfterName(of: process), fields.count > 19, fields[0] != "Z", fields[0] != "X"
        else {
            return nil
        }
        return UInt64(fields[19])
    }

    /// Whether it has ended and its parent has not asked for its status yet.
    package static func isZombie(_ process: Int32) -> Bool {
        (try? fieldsAfterName(of: process).first) == "Z"
    }

    /// The name before them, in parentheses, may hold anything.
    private static func fieldsAfterName(of process: Int32) throws(SystemCallError) -> [Substring] {
        let text = try KernelFile.read("/proc/\(process)/stat")
        return Array(text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ").dropFirst())
    }

    /// Inode numbers of the sockets a process has open.
    /// - Throws: ``SystemCallError``: EACCES for somebody else's process.
    package static func socketInodes(of process: Int32) throws(SystemCallError) -> Set<UInt32> {
        let folder = "/proc/\(process)/fd"
        guard let directory = opendir(folder) else { throw SystemCallError("opendir", on: folder, errno: errno) }
        defer { closedir(directory) }
        var inodes: Set<UInt32> = []
        while let entry = readdir(directory) {
            var target = [CChar](repeating: 0, count: 64)
            let count = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) {
                    readlinkat(dirfd(directory), $0, &target, target.count - 1)
                }
            }
            let text = String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("socket:[") else { continue }
            if let inode = UInt32(text.dropFirst(8).dropLast()) { inodes.insert(inode) }
        }
        return inodes
    }

    /// Linux 6.2 and later give the number as the folder's size; before, its entries are counted.
    private static func countDescriptors(_ folder: String) -> Int {
        var status = stat()
        guard stat(folder, &status) == 0 else { return 0 }
        if status.st_size > 0 { return Int(status.st_size) }
        guard let directory = opendir(folder) else { return 0 }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // Less "." and "..".
        return max(0, entries - 2)
    }
}
