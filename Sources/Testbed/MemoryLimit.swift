internal import FoundationEssentials
internal import Glibc
internal import KernelProbe
internal import POSIX
package import Units

/// Bounds the memory of a process as a container would: by a cgroup of its own where one can be made,
/// by watching its resident memory and killing it otherwise. cgroups(7)
package final class MemoryLimit {
    /// Who ends a process that holds more.
    package enum Enforcement: String, Sendable, Codable {
        case cgroup2 = "cgroup v2"
        case cgroup1 = "cgroup v1"
        case watched = "resident memory watched every 50 ms, killed above the limit"
    }

    package let limit: ByteCount
    package let enforcement: Enforcement
    /// The cgroup that a process has to begin in to be under the limit; nil where there is none.
    package let folder: String?
    private let hold: HeldFolder?
    private static let prefix = "spiral-run-"

    package init(_ limit: ByteCount) {
        self.limit = limit
        for (enforcement, parent) in Self.hierarchies() {
            // What a killed run left goes once the last process in it is gone.
            HeldFolder.abandoned(in: parent, prefix: Self.prefix) { rmdir($0) }
            guard let hold = try? HeldFolder(in: parent, prefix: Self.prefix) else { continue }
            if Self.set(limit, enforcement, hold.path) {
                self.enforcement = enforcement
                folder = hold.path
                self.hold = consume hold
                return
            }
            rmdir(hold.path)
        }
        enforcement = .watched
        folder = nil
        hold = nil
    }

    deinit {
        // Goes once the last process in it is gone.
        if let folder { rmdir(folder) }
    }

    /// Kills a process that is over the limit, where the kernel does not.
    /// - Returns: whether it was.
    package func enforce(on process: Int32) -> Bool {
        guard enforcement == .watched, let status = try? ProcessStatus.read(process), status.residentBytes > limit.bytes
        else { return false }
        kill(process, SIGKILL)
        return true
    }

    /// Memory that counts against the limit, or nil where only the process's own is known.
    package var usedBytes: Int? {
        let name = enforcement == .cgroup2 ? "memory.current" : "memory.usage_in_bytes"
        return folder.flatMap { try? KernelFile.read("\($0)/\(name)") }.flatMap { Int($0.prefix { $0 != "\n" }) }
    }

    /// Processes the kernel has killed for it so far.
    package var kills: Int {
        let name = enforcement == .cgroup2 ? "memory.events" : "memory.oom_control"
        guard let folder, let text = try? KernelFile.read("\(folder)/\(name)") else { return 0 }
        return KernelFile.field("oom_kill", of: text).flatMap { Int($0) } ?? 0
    }

    private static func set(_ limit: ByteCount, _ enforcement: Enforcement, _ folder: String) -> Bool {
        do {
            if enforcement == .cgroup2 {
                try KernelFile.write("\(limit.bytes)", to: folder + "/memory.max")
                try? KernelFile.write("0", to: folder + "/memory.swap.max")
            } else {
                try KernelFile.write("\(limit.bytes)", to: folder + "/memory.limit_in_bytes")
            }
            return true
        } catch {
            return false
        }
    }

    /// Folders in which a cgroup with a memory controller may be made, this process's own first.
    private static func hierarchies() -> [(Enforcement, String)] {
        guard let text = try? KernelFile.read("/proc/self/cgroup") else { return [] }
        var found: [(Enforcement, String)] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = parts[2] == "/" ? "" : String(parts[2])
            if parts[0] == "0" {
                found += [(.cgroup2, "/sys/fs/cgroup" + path), (.cgroup2, "/sys/fs/cgroup")]
            } else if parts[1].split(separator: ",").contains("memory") {
                found += [(.cgroup1, "/sys/fs/cgroup/memory" + path), (.cgroup1, "/sys/fs/cgroup/memory")]
            }
        }
        return found
    }
}
