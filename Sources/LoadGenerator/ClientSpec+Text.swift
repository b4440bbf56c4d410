internal import PostRecords
package import Units

/// `NAME:uris=LO..HI,rate=R/s`; in place of `rate`, `poisson`, `ramp=R/s..R/s`, `burst=N/DURATION`,
/// `steps=R/s*DURATION+R/s*DURATION` or `closed=N`; and what else is optional, as in ``optionalKeys``.
extension ClientSpec {
    private static let arrivalKeys = ["rate", "poisson", "ramp", "burst", "steps", "closed"]
    private static let optionalKeys = [
        "from", "until", "phase", "slo", "codec", "popularity", "hits", "duplicates",
    ]
    /// Batches a second that one client is asked for: no machine sends more, and less is no load.
    static let rates = 1e-6...1e6
    /// Beyond it, nobody waits for the end.
    package static let longest = Duration.seconds(366 * 86400)

    /// What a text need not say, as the load says it for all.
    package struct Given: Sendable {
        /// Whether clients send batches of URIs, whose sizes they say.
        package var isSized: Bool
        /// How batches come where a client does not say.
        package var arrival: Schedule.Arrival?

        package init(isSized: Bool = true, arrival: Schedule.Arrival? = nil) {
            self.isSized = isSized
            self.arrival = arrival
        }
    }

    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(text: String) throws(UnitTextError) {
        try self.init(text: text, given: Given())
    }

    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(text: String, given: Given) throws(UnitTextError) {
        let colon = text.firstIndex(of: ":")
        guard let end = colon ?? (given.isSized || given.arrival == nil ? nil : text.endIndex) else {
            throw Self.formError(text, given)
        }
        let rest = colon.map { String(text[text.index(after: $0)...]) } ?? ""
        try self.init(name: String(text[..<end]), text: rest, given: given)
    }

    /// - Parameter text: what stands behind the colon.
    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(name: String, text: String, given: Given = Given()) throws(UnitTextError) {
        try Self.check(name: name)
        var values = text.isEmpty ? [:] : try Self.values(of: text, of: name, given)
        let arrivals = Self.arrivalKeys.filter { values[$0] != nil }
        let arrival: Schedule.Arrival
        if let key = arrivals.first, arrivals.count == 1 {
            arrival = try Self.arrival(key, values.removeValue(forKey: key)!)
        } else if arrivals.isEmpty, let common = given.arrival {
            arrival = common
        } else {
            throw Self.formError("\(name):\(text)", given)
        }
        guard (values["uris"] != nil) == given.isSized else { throw Self.formError("\(name):\(text)", given) }
        let sizes = try values.removeValue(forKey: "uris").map { (text) throws(UnitTextError) in
            try BatchSizes(text: text)
        }
        self.init(name: name, sizes: sizes, schedule: Schedule(arrival))
        for (key, value) in values {
            switch key {
            case "from": schedule.from = try Self.time(value)
            case "until": schedule.until = try Self.time(value)
            case "phase": schedule.phase = try Self.time(value)
            case "slo": slo = try Duration(text: value)
            case "codec":
                guard let codec = Codec(rawValue: value) else {
                    throw UnitTextError(text: value, expected: "a codec: use json or proto")
                }
                self.codec = codec
            case "popularity": popularity = try Popularity(text: value)
            case "hits": hits = try Self.share(value)
            case "duplicates": duplicates = try Self.share(value)
            default: throw Self.formError("\(name):\(text)", given)
            }
        }
        if let until = schedule.until, until <= schedule.from + (schedule.phase ?? .zero) {
            throw UnitTextError(
                text: until.text,
                expected: "a time after the start: until must be later than from and phase"
            )
        }
    }

    /// Refuses a name that a table, a label or a file could not hold.
    package static func check(name: String) throws(UnitTextError) {
        let allowed = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard (1...64).contains(name.count), allowed else {
            throw UnitTextError(text: name, expected: "a caller's name: use up to 64 letters, digits, '-', '_' and '.'")
        }
    }

    /// Splits `key=value,key=value`; a part without a key goes on with the value before it, which is a list.
    private static func values(
        of text: String,
        of name: String,
        _ given: Given
    ) throws(UnitTextError) -> [String: String] {
        var values: [String: String] = [:]
        var last: String?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 1, last == "uris", !part.isEmpty {
                values["uris"]! += ",\(part)"
                continue
            }
            let key = String(sides[0])
            guard sides.count == 2, values.updateValue(String(sides[1]), forKey: key) == nil else {
                throw formError("\(name):\(text)", given)
            }
            last = key
        }
        return values
    }

    private static func formError(_ text: String, _ given: Given) -> UnitTextError {
        UnitTextError(
            text: text,
            expected: (given.isSized
                ? "a caller: write NAME:uris=LO..HI,rate=R/s, as in feed:uris=1..50,rate=20/s"
                : "a caller of plain requests, which have no uris: write NAME:rate=R/s, as in web:rate=20/s")
                + "; in place of rate, poisson=20/s, ramp=0/s..20/s, burst=5/10s, steps=5/s*10s+20/s*10s or closed=4; "
                + "\(optionalKeys.dropLast().joined(separator: ", ")) and \(optionalKeys.last!) are optional"
        )
    }

    // MARK: Values

    private static func arrival(_ kind: String, _ text: String) throws(UnitTextError) -> Schedule.Arrival {
        switch kind {
        case "poisson": return .poisson(try rate(text))
        case "ramp":
            let ends = text.split(separator: "..", omittingEmptySubsequences: false).map(String.init)
            guard ends.count == 2, ends.contains(where: { !isZero($0) }) else {
                throw UnitTextError(
                    text: text,
                    expected: "a ramp: write two rates, as in 0/s..20/s, of which one is above 0"
                )
            }
            func perSecond(_ text: String) throws(UnitTextError) -> Double {
                isZero(text) ? 0 : try rate(text).perSecond
            }
            return .ramp(from: try perSecond(ends[0]), to: try perSecond(ends[1]))
        case "burst":
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let batches = Int(parts[0]), (1...1_000_000).contains(batches),
                let period = try? time(String(parts[1])), period > .zero,
                rates.contains(Double(batches) / period.inSeconds)
            else {
                throw UnitTextError(
                    text: text,
                    expected:
                        "a burst: write batches, up to 1000000, and how often, as in 5/10s; no more than 1000000/s"
                )
            }
            return .burst(batches: batches, every: period)
        case "steps":
            var steps: [Schedule.Step] = []
            for step in text.split(separator: "+", omittingEmptySubsequences: false) {
                let parts = step.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, let length = try? time(parts[1]), length > .zero else {
                    throw UnitTextError(text: text, expected: "steps: write rates and times, as in 5/s*10s+20/s*10s")
                }
                steps.append(.init(rate: try rate(parts[0]), length: length))
            }
            return .steps(steps)
        case "closed":
            guard let batches = Int(text), (1...100_000).contains(batches) else {
                throw UnitTextError(text: text, expected: "a closed loop: write how many are in flight, 1 to 100000")
            }
            return .closed(batches)
        default: return .constant(try rate(text))
        }
    }

    private static func rate(_ text: String) throws(UnitTextError) -> Rate {
        let rate = try Rate(text: text)
        guard rates.contains(rate.perSecond) else {
            throw UnitTextError(text: text, expected: "a rate that can be sent: use 0.000001/s to 1000000/s")
        }
        return rate
    }

    private static func isZero(_ rate: String) -> Bool {
        guard rate.hasSuffix("/s") || rate.hasSuffix("/m") else { return false }
        return !rate.dropLast(2).isEmpty && rate.dropLast(2).allSatisfy { $0 == "0" || $0 == "." }
    }

    private static func time(_ text: String) throws(UnitTextError) -> Duration {
        let time = try Duration(text: text)
        guard time <= longest else { throw UnitTextError(text: text, expected: "a time that ends: use up to 8784h") }
        return time
    }

    private static func share(_ text: String) throws(UnitTextError) -> Double {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) else {
            throw UnitTextError(text: text, expected: "a share: write it as 95%, from 0% to 100%")
        }
        return percent / 100
    }

    package var description: String {
        let defaults = ClientSpec(name: name, sizes: sizes, schedule: schedule)
        func optional<Value: Equatable>(_ key: String, _ path: KeyPath<ClientSpec, Value>, _ text: (Value) -> String)
            -> String
        {
            self[keyPath: path] == defaults[keyPath: path] ? "" : ",\(key)=\(text(self[keyPath: path]))"
        }
        let parts =
            [sizes.map { "uris=\($0)" }, "\(arrivalText)"].compactMap { $0 }.joined(separator: ",")
            + (schedule.from > .zero ? ",from=\(schedule.from.text)" : "")
            + (schedule.until.map { ",until=\($0.text)" } ?? "")
            + (schedule.phase.map { ",phase=\($0.text)" } ?? "")
        return "\(name):\(parts)"
            + optional("slo", \.slo) { $0?.text ?? "" }
            + optional("codec", \.codec) { $0.rawValue }
            + optional("popularity", \.popularity) { $0.description }
            + optional("hits", \.hits) { Self.percent($0 ?? 1) }
            + optional("duplicates", \.duplicates) { Self.percent($0) }
    }

    private var arrivalText: String {
        func text(_ perSecond: Double) -> String { "\(Rate(perSecond: perSecond))" }
        return switch schedule.arrival {
        case .constant(let rate): "rate=\(rate)"
        case .poisson(let rate): "poisson=\(rate)"
        case .ramp(let from, let to): "ramp=\(text(from))..\(text(to))"
        case .burst(let batches, let period): "burst=\(batches)/\(period.text)"
        case .steps(let steps): "steps=\(steps.map { "\($0.rate)*\($0.length.text)" }.joined(separator: "+"))"
        case .closed(let batches): "closed=\(batches)"
        case .recorded(let batches): "recorded=\(batches)"
        }
    }

    private static func percent(_ share: Double) -> String {
        let percent = (share * 1e8).rounded() / 1e6
        return percent == percent.rounded() ? "\(Int(percent))%" : "\(percent)%"
    }
}
