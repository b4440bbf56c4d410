internal import Glibc
internal import POSIX

/// A process and all its children, theirs too, at one moment.
package struct ProcessTree: Sendable, Equatable {
    package private(set) var processes = 0
    package private(set) var threads = 0
    /// Of all together: pages that several of them share count for each.
    package private(set) var residentBytes = 0

    /// Nil when there is no such process.
    package init?(of process: Int32) {
        var waiting = [process]
        // A process that ended meanwhile may have its number taken by another.
        var seen: Set<Int32> = []
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted, let status = try? ProcessStatus.read(next) else { continue }
            processes += 1
            threads += status.threads
            residentBytes += status.residentBytes
            waiting += Self.children(of: next)
        }
        if processes == 0 { return nil }
    }

    /// Those that each of its threads started. proc_pid_tid_children(5)
    private static func children(of process: Int32) -> [Int32] {
        let folder = "/proc/\(process)/task"
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var children: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, let text = try? KernelFile.read("\(folder)/\(name)/children") else { continue }
            children += text.split(separator: " ").compactMap { Int32($0) }
        }
        return children
    }
}
