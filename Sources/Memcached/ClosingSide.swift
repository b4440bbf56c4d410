package import Units

/// Which end closes a connection that is not kept, and is left with its TIME_WAIT. The setting `close`.
package enum ClosingSide: String, Sendable, CaseIterable {
    /// This one, as Go's Close does.
    case client
    /// memcached, which is asked to by `quit` and waited for.
    case server

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        guard let side = Self(rawValue: text) else {
            throw UnitTextError(text: text, expected: "which end closes a connection: use client or server")
        }
        self = side
    }
}
