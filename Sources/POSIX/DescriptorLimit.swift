internal import Glibc

/// How many descriptors this process may have open. getrlimit(2) RLIMIT_NOFILE
package struct DescriptorLimit: Sendable, Equatable {
    package var soft: Int
    package var hard: Int

    package init(soft: Int, hard: Int) {
        self.soft = soft
        self.hard = hard
    }

    package static var current: DescriptorLimit {
        var limit = rlimit()
        getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
        return DescriptorLimit(soft: Int(clamping: limit.rlim_cur), hard: Int(clamping: limit.rlim_max))
    }

    /// Raises the soft limit to the hard one, and returns what holds now. setrlimit(2)
    @discardableResult
    package static func raise() -> DescriptorLimit {
        var limit = rlimit()
        getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
        return current
    }

    /// Whether fewer than so many descriptors are left. The kernel hands out the lowest that is free, so a duplicate
    /// of one tells how many there are.
    package static func leavesLess(than count: Int, probing descriptor: CInt) -> Bool {
        guard let next = try? Descriptor.duplicate(of: descriptor) else { return true }
        return Int(next.rawValue) + count > current.soft
    }
}
