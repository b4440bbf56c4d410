/// Durations as every option, setting and scenario writes them: `500ms`, `10s`, `2m`.
extension Duration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1000), ("ns", 1),
    ]

    /// Longer ones are nobody's wish, and sums with them are no times.
    private static let longest = Duration.seconds(10 * 366 * 86400)

    /// Reads a number and a unit out of `ns us ms s m h`.
    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        guard let (number, unit) = splitQuantity(text),
            let scale = Self.units.first(where: { $0.name == unit })?.nanoseconds
        else {
            throw UnitTextError(text: text, expected: "a duration: write a number and a unit, as in 500ms, 10s or 2m")
        }
        guard number * Double(scale) <= Double(Self.longest.wholeNanoseconds) else {
            throw UnitTextError(text: text, expected: "a duration that ends: use up to \(Self.longest.text)")
        }
        self = .nanoseconds(Int64((number * Double(scale)).rounded()))
    }

    /// The shortest exact spelling: the largest unit that leaves a whole number.
    package var text: String {
        let nanoseconds = wholeNanoseconds
        if nanoseconds == 0 { return "0s" }
        for unit in Self.units where nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return "\(nanoseconds)ns"
    }

    /// Whole nanoseconds; anything finer is cut off.
    package var wholeNanoseconds: Int64 {
        // Up to 9 s fit into 64 bits; to divide 128 of them takes 1% of a lane, for the deadline of each lookup.
        if let attoseconds = Int64(exactly: attoseconds) { return attoseconds / 1_000_000_000 }
        return Int64(attoseconds / 1_000_000_000)
    }

    /// Seconds, for arithmetic with rates.
    package var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }

    /// Milliseconds, as latencies are reported.
    package var inMilliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
