package import Units

/// How failed lookups and write-backs are logged. The setting `log-mode`.
package enum LogMode: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Not at all.
    case off
    /// Each error is one line and one write(2), made by the thread that met the error.
    case blocking

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        guard let mode = LogMode(rawValue: text) else {
            throw UnitTextError(text: text, expected: "a log mode: use off or blocking")
        }
        self = mode
    }

    package var description: String { rawValue }
}
