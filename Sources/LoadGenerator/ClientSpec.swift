package import PostRecords
package import Units

/// One named client of a load: how large its batches are, and when they come.
/// Written `NAME:uris=LO..HI,rate=R/s`; in place of `rate`, `ramp=R/s..R/s` or `burst=N/DURATION`; and
/// with `from=DURATION` or `until=DURATION` it sends for a part of the time only. `slo=DURATION` is the time in which
/// its batches should be answered complete; `codec=proto` has it speak protobuf in place of JSON.
package struct ClientSpec: Sendable, Equatable, CustomStringConvertible {
    package var name: String
    package var uris: ClosedRange<Int>
    package var schedule: Schedule
    /// The time in which a batch should be answered, with a post for every URI; nil for no SLO.
    package var slo: Duration?
    /// How it writes its batches, and reads the answers.
    package var codec = Codec.json

    package init(name: String, uris: ClosedRange<Int>, rate: Rate) {
        self.name = name
        self.uris = uris
        schedule = Schedule(rate: rate)
    }

    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(text: String) throws(UnitTextError) {
        guard let colon = text.firstIndex(of: ":") else { throw Self.formError(text) }
        try self.init(name: String(text[..<colon]), text: String(text[text.index(after: colon)...]))
    }

    /// - Parameter text: what stands behind the colon.
    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(name: String, text: String) throws(UnitTextError) {
        let allowed = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard (1...64).contains(name.count), allowed else {
            throw UnitTextError(text: name, expected: "a client name: use up to 64 letters, digits, '-', '_' and '.'")
        }
        var values: [Substring: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, values.updateValue(String(sides[1]), forKey: sides[0]) == nil else {
                throw Self.formError("\(name):\(text)")
            }
        }
        let arrivals = ["rate", "ramp", "burst"].filter { values[$0[...]] != nil }
        guard let sizes = values.removeValue(forKey: "uris"), arrivals.count == 1 else {
            throw Self.formError("\(name):\(text)")
        }
        self.name = name
        uris = try Self.sizes(sizes)
        schedule = Schedule(try Self.arrival(arrivals[0], values.removeValue(forKey: arrivals[0][...])!))
        if let from = values.removeValue(forKey: "from") { schedule.from = try Duration(text: from) }
        if let until = values.removeValue(forKey: "until") {
            schedule.until = try Duration(text: until)
            guard schedule.until! > schedule.from else {
                throw UnitTextError(text: until, expected: "a time after the start: until must be later than from")
            }
        }
        if let slo = values.removeValue(forKey: "slo") { self.slo = try Duration(text: slo) }
        if let name = values.removeValue(forKey: "codec") {
            guard let codec = Codec(rawValue: name) else {
                throw UnitTextError(text: name, expected: "a codec: use json or proto")
            }
            self.codec = codec
        }
        guard values.isEmpty else { throw Self.formError("\(name):\(text)") }
    }

    private static func formError(_ text: String) -> UnitTextError {
        UnitTextError(
            text: text,
            expected: "a client: write NAME:uris=LO..HI,rate=R/s, as in feed:uris=1..50,rate=20/s; in place of rate, "
                + "ramp=1/s..20/s or burst=5/10s; from=2s, until=8s, slo=100ms and codec=proto are optional"
        )
    }

    private static func arrival(_ kind: String, _ text: String) throws(UnitTextError) -> Schedule.Arrival {
        switch kind {
        case "ramp":
            let ends = text.split(separator: "..", omittingEmptySubsequences: false)
            guard ends.count == 2 else {
                throw UnitTextError(text: text, expected: "a ramp: write two rates, as in 1/s..20/s")
            }
            return .ramp(from: try Rate(text: String(ends[0])), to: try Rate(text: String(ends[1])))
        case "burst":
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let batches = Int(parts[0]), batches > 0,
                let period = try? Duration(text: String(parts[1])), period > .zero
            else { throw UnitTextError(text: text, expected: "a burst: write batches and how often, as in 5/10s") }
            return .burst(batches: batches, every: period)
        default: return .constant(try Rate(text: text))
        }
    }

    private static func sizes(_ text: String) throws(UnitTextError) -> ClosedRange<Int> {
        let numbers = text.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard (1...2).contains(numbers.count), let low = numbers.first, let high = numbers.last,
            low >= 1, high >= low, high <= 1_000_000
        else {
            throw UnitTextError(text: text, expected: "a batch size: write N or LO..HI, from 1 to 1000000")
        }
        return low...high
    }

    package var description: String {
        let sizes = uris.count == 1 ? "\(uris.lowerBound)" : "\(uris.lowerBound)..\(uris.upperBound)"
        let arrival =
            switch schedule.arrival {
            case .constant(let rate): "rate=\(rate)"
            case .ramp(let from, let to): "ramp=\(from)..\(to)"
            case .burst(let batches, let period): "burst=\(batches)/\(period.text)"
            }
        let from = schedule.from > .zero ? ",from=\(schedule.from.text)" : ""
        let until = schedule.until.map { ",until=\($0.text)" } ?? ""
        let slo = slo.map { ",slo=\($0.text)" } ?? ""
        let codec = codec == .json ? "" : ",codec=\(codec.rawValue)"
        return "\(name):uris=\(sizes),\(arrival)\(from)\(until)\(slo)\(codec)"
    }
}
