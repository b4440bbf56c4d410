/// How two results are compared by a measure.
package struct MeasureChange: Sendable {
    /// In which direction a measure gets worse.
    package enum Worse: Sendable { case more, less, neither }

    /// What a value is compared as, so that runs of other lengths and machines can be.
    package enum Basis: Sendable {
        /// Percent of the lookups.
        case shareOfLookups
        /// As it is: of runs that did the same work.
        case work
        /// As it is: of runs on machines alike.
        case machine
        /// As it is, whatever else differs.
        case plain
    }

    package var name: String
    /// Differences of no more than this are noise, whatever their share; in what is shown: percentage points of a
    /// share, else as ``Measure/shown(_:)`` gives it.
    package var floor: Double
    package var worse: Worse
    package var basis = Basis.plain
}
