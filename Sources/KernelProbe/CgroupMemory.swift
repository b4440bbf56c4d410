internal import POSIX

/// Memory of the cgroup this process is in. cgroups(7)
package struct CgroupMemory: Sendable, Equatable {
    package var usedBytes: Int
    /// Nil where there is no limit.
    package var limitBytes: Int?

    /// Nil where there is no memory controller, or it cannot be read from here.
    package static func current() -> CgroupMemory? {
        guard let text = try? KernelFile.read("/proc/self/cgroup") else { return nil }
        for line in text.split(separator: "\n") {
            // hierarchy:controllers:path; version 2 has number 0 and names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0", parts[1].isEmpty {
                let folder = "/sys/fs/cgroup" + parts[2]
                if let memory = read("\(folder)/memory.current", "\(folder)/memory.max") { return memory }
            } else if parts[1].split(separator: ",").contains("memory") {
                for folder in ["/sys/fs/cgroup/memory\(parts[2])", "/sys/fs/cgroup/memory"] {
                    let files = ("\(folder)/memory.usage_in_bytes", "\(folder)/memory.limit_in_bytes")
                    if let memory = read(files.0, files.1) { return memory }
                }
            }
        }
        return nil
    }

    private static func read(_ used: String, _ limit: String) -> CgroupMemory? {
        func number(_ path: String) -> Int? {
            (try? KernelFile.read(path)).flatMap { Int($0.prefix { $0 != "\n" }) }
        }
        guard let usedBytes = number(used) else { return nil }
        // Version 1 writes "no limit" as a number close to the largest there is.
        return CgroupMemory(usedBytes: usedBytes, limitBytes: number(limit).flatMap { $0 < 1 << 60 ? $0 : nil })
    }
}
