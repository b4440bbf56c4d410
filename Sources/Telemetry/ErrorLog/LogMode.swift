package import Units

/// How failed lookups and write-backs are logged. The setting `log-mode`.
package enum LogMode: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Not at all, and not counted.
    case off
    /// Each error is one line and one write(2); what failed waits for it.
    case blocking
    /// Lines pass through a bounded buffer to one writer; what does not fit is dropped and counted.
    case async
    /// The first lines of each kind of error in a second, and then how many more there were.
    case sampled
    /// No lines: a count and one exemplar for each kind of error.
    case metrics

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        guard let mode = LogMode(rawValue: text) else {
            throw UnitTextError(
                text: text,
                expected: "a log mode: use off, blocking, async, sampled or metrics"
            )
        }
        self = mode
    }

    package var description: String { rawValue }
}
