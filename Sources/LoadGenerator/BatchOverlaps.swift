internal import Synchronization

/// Which batches of a load were under way at the same time, as its clients see it: from when a batch is due until it
/// is answered or has failed.
package final class BatchOverlaps: Sendable {
    /// Batches by the URIs they have, in groups: between two groups there was a moment with none under way.
    package struct Groups: Sendable, Equatable {
        private var sizes: [Int] = []
        /// Where in ``sizes`` each group begins.
        private var starts: [Int] = []

        package init(_ groups: [[Int]] = []) {
            for group in groups {
                for (index, uris) in group.enumerated() { add(uris, startsGroup: index == 0) }
            }
        }

        fileprivate mutating func add(_ uris: Int, startsGroup: Bool) {
            if startsGroup { starts.append(sizes.count) }
            sizes.append(uris)
        }

        /// The sizes of each group's batches, in the order they were due.
        package var all: some Sequence<ArraySlice<Int>> {
            zip(starts, starts.dropFirst() + [sizes.count]).lazy.map { sizes[$0..<$1] }
        }
    }

    private struct State {
        var underWay = 0
        var groups = Groups()
    }

    private let state = Mutex(State())

    package init() {}

    func begin(uris: Int) {
        state.withLock { state in
            state.groups.add(uris, startsGroup: state.underWay == 0)
            state.underWay += 1
        }
    }

    func end() {
        state.withLock { $0.underWay -= 1 }
    }

    package var groups: Groups { state.withLock { $0.groups } }
}
