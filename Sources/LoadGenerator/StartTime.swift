package import POSIX
internal import Text
package import Units

/// A moment in UTC, written `2026-04-06T12:00:00Z`.
package struct StartTime: Sendable, CustomStringConvertible {
    private let secondsSince1970: Int64
    package let description: String

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        guard let seconds = CivilTime.seconds(of: text), seconds < 1 << 32 else {
            throw UnitTextError(text: text, expected: "a time in UTC: write it as 2026-04-06T12:00:00Z, before 2106")
        }
        secondsSince1970 = seconds
        description = text
    }

    /// The same moment on the monotonic clock; nil when it is over.
    /// - Parameters:
    ///   - now: on the monotonic clock.
    ///   - nanosecondsSince1970: the same by the clock on the wall.
    package func instant(
        at now: MonotonicInstant = .now,
        nanosecondsSince1970: UInt64 = RealTime.nanosecondsSince1970
    ) -> MonotonicInstant? {
        let left = secondsSince1970 * 1_000_000_000 - Int64(clamping: nanosecondsSince1970)
        return left > 0 ? now + .nanoseconds(left) : nil
    }
}
