internal import Commands
internal import POSIX
internal import Text
internal import Units

/// A moment in UTC, written `2026-04-06T12:00:00Z`.
struct StartTime {
    private let secondsSince1970: Int64
    private let text: String

    /// - Throws: ``UnitTextError`` with the form.
    init(text: String) throws(UnitTextError) {
        self.text = text
        guard let seconds = CivilTime.seconds(of: text), seconds < 1 << 32 else {
            throw UnitTextError(text: text, expected: "a time in UTC: write it as 2026-04-06T12:00:00Z, before 2106")
        }
        secondsSince1970 = seconds
    }

    /// The same moment on the monotonic clock.
    /// - Throws: ``Refusal`` when it is over.
    func instant() throws -> MonotonicInstant {
        let left = Int64(secondsSince1970) * 1_000_000_000 - Int64(RealTime.nanosecondsSince1970)
        guard left > 0 else { throw Refusal(.usage, "--start-at: \(text) is over") }
        return .now + .nanoseconds(left)
    }
}
