package import LoadGenerator
package import PostRecords
package import Text

/// What one cure came to, measured once.
package struct CureMeasurement: Codable, Sendable {
    /// One batch of the heavy caller.
    package struct Batch: Codable, Sendable, Equatable {
        /// 1, and 2 a second after the end of it.
        package var round: Int
        package var uris: Int
        package var found: Int
        /// Lookups that failed while it was under way, those of small callers included, by the error's name.
        package var errors: [String: Int]
        /// Until its answer was complete; nil when there was none.
        @ExplicitNull package var milliseconds: Double?
    }

    /// Connects made and failed.
    package struct Dials: Codable, Sendable, Equatable {
        package var ok: Int
        package var failed: Int
        /// Failed ones by call and errno, as in `bind EADDRINUSE`.
        package var errorsByCall: [String: Int]
        /// Connections that memcached counted meanwhile, those of the other program and the tool itself taken off; nil
        /// behind a proxy, whose dials it counts.
        @ExplicitNull package var countedByMemcached: Int?
    }

    /// Another program on the machine that dials without a thought of ports: half of it to memcached as well, half to a
    /// service that has nothing to do with it.
    package struct Others: Codable, Sendable, Equatable {
        package var ok = 0
        package var failed = 0
        /// By call and errno.
        package var errors: [String: Int] = [:]
        package var toMemcached = Count()
        package var elsewhere = Count()

        /// Dials that found a port, and those that did not.
        package struct Count: Codable, Sendable, Equatable {
            package var ok = 0
            package var failed = 0
        }
    }

    /// Processor time of each end, in seconds.
    package struct Seconds: Codable, Sendable, Equatable {
        package var server: Double
        package var memcached: Double
    }

    package var settings: SettingsDocument
    /// Kernel settings of the namespace that the cure wrote.
    package var sysctls: [String: String]
    package var portsCapacity: Int
    package var batches: [Batch]
    package var dials: Dials
    package var timeWaitPeak: Int
    /// TIME_WAITs at memcached's end; nil where it has no port, and in results of versions that did not count them.
    package var memcachedTimeWaitPeak: Int?
    /// Ports the busiest source address held at once, or the busiest pair of addresses where connect() chooses.
    package var portsInUsePeak: Int
    package var inFlightPeak: Int
    package var others: Others
    /// Heavy caller and small callers, both rounds together.
    package var clients: [ClientResult]
    package var cpuSeconds: Seconds
    /// Of the server, and of memcached.
    @ExplicitNull package var rssPeakBytes: Int?
    @ExplicitNull package var memcachedRSSPeakBytes: Int?
    /// Connections that ended without TIME_WAIT: TCPTimeWaitOverflow, and resets sent.
    package var timeWaitOverflows: Int
    package var resets: Int
    /// Batches the server refused, by the guard that did.
    package var refusals: [String: Int]
    /// Until memcached and server answered.
    package var roomMilliseconds: Double

    private func client(_ name: String) -> ClientResult? { clients.first { $0.name == name } }

    /// The heavy caller's.
    package var heavy: ClientResult? { client(CuresPlan.heavyName) }
    package var small: ClientResult? { client(CuresPlan.smallName) }

    package var figures: CureFigures {
        CureFigures(
            asked: Double(batches.reduce(0) { $0 + $1.uris }),
            found: Double(batches.reduce(0) { $0 + $1.found }),
            smallAsked: Double(small?.uris ?? 0),
            smallFound: Double(small?.records.found ?? 0),
            dials: Double(dials.ok + dials.failed),
            othersFailed: others.ok + others.failed > 0 ? Double(others.failed) : nil,
            endedWithoutTimeWait: Double(timeWaitOverflows + resets) / Double(max(1, dials.ok))
        )
    }
}
