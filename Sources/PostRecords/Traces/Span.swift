internal import POSIX
internal import Units

/// One batch as a trace of one span, in OpenTelemetry's terms.
package struct Span: Sendable {
    /// An attribute's value.
    package enum Value: Sendable {
        case text(String)
        case number(Int)
    }

    package var traceID: String
    package var spanID: String
    package var name: String
    /// Nanoseconds since 1970.
    package var start: UInt64
    package var end: UInt64
    package var attributes: [(key: String, value: Value)]
    /// Whether any lookup failed.
    package var failed: Bool

    /// A span of its own trace.
    /// - Parameter duration: it ends now, and began this long ago.
    package init(_ name: String, duration: Duration, failed: Bool, _ attributes: [(key: String, value: Value)]) {
        var random = SystemRandomNumberGenerator()
        traceID = Self.hex(random.next()) + Self.hex(random.next())
        spanID = Self.hex(random.next())
        self.name = name
        end = RealTime.nanosecondsSince1970
        start = end - UInt64(max(0, duration.wholeNanoseconds))
        self.attributes = attributes
        self.failed = failed
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
