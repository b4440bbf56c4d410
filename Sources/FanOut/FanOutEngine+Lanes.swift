extension FanOutEngine {
    /// Lanes there may be.
    package static let laneCounts = 1...64

    /// Lanes for a machine: one a core, less those that memcached keeps busy; but not fewer than two, nor than the cores
    /// of a machine of up to four, which lanes and memcached share.
    /// - Parameters:
    ///   - cores: 1 or more.
    ///   - memcachedThreads: of memcached on the same machine; 0 where it has one of its own.
    package static func standardLaneCount(cores: Int, memcachedThreads: Int) -> Int {
        min(laneCounts.upperBound, max(2, min(cores, 4), cores - memcachedThreads))
    }
}
