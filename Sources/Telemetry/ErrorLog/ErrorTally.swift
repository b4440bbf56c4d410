internal import POSIX
internal import Synchronization

/// How often each kind of error came, and one of them as it would have been logged.
package struct ErrorTally: Sendable, Equatable {
    package var count = 0
    /// The latest, looked at no more than once for each ``Tallies/exemplarEvery`` errors.
    package var exemplar: ErrorLine
}

/// Mode `metrics`: no lines, a tally for each kind of error.
final class Tallies: LineRoute {
    /// An exemplar is made anew after this many errors of its kind.
    static let exemplarEvery = 1000

    private let tallies = Mutex<[String: ErrorTally]>([:])
    private let counts: LogCounts

    init(_ counts: LogCounts) {
        self.counts = counts
    }

    var all: [String: ErrorTally] { tallies.withLock { $0 } }

    func record(
        _ kind: String,
        count: Int,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        counts.suppressed.add(count)
        tallies.withLock { tallies in
            let before = tallies[kind]?.count ?? 0
            if before == 0 || before / Self.exemplarEvery != (before + count) / Self.exemplarEvery {
                tallies[kind] = ErrorTally(count: before, exemplar: line(0))
            }
            tallies[kind]!.count += count
        }
        return false
    }

    func close() {}

    func finish(by deadline: MonotonicInstant) -> Int { 0 }
}
