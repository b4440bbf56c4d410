package import Units

/// A limit as text: `none`, `request:64`, `process:64,queue=100,wait=2s`, `fair:64`, `aimd`, `vegas:max=500`,
/// `gradient2:min=20,max=200`. What is left out has its default.
extension LimitPolicy: CustomStringConvertible {
    private static let forms =
        "a limit: use none, request:N, process:N, fair:N, aimd, vegas or gradient2 with N of 1 or more; "
        + "aimd:min=20,max=200 sets what is adjustable"

    /// - Throws: ``UnitTextError`` with the accepted forms, or what of it is wrong.
    package init(text: String) throws(UnitTextError) {
        let kind = String(text.prefix { $0 != ":" })
        let rest = text.dropFirst(kind.count + 1)
        let hasRest = text.count > kind.count
        var fields = try Fields(text, hasRest ? rest : "", takesNumber: ["request", "process", "fair"].contains(kind))
        guard !hasRest || !rest.isEmpty else { throw UnitTextError(text: text, expected: Self.forms) }
        switch kind {
        case "none" where !hasRest: self = .none
        case "request" where hasRest: self = .request(try fields.number())
        case "fair" where hasRest: self = .fair(try fields.number())
        case "process" where hasRest:
            var queue = QueueRules()
            let number = try fields.number()
            try fields.take("queue", &queue.capacity)
            if let wait = fields.values.removeValue(forKey: "wait") { queue.wait = try Self.wait(wait) }
            self = .process(number, queue)
        case "aimd":
            var parameters = AIMD.Parameters()
            try fields.takeRange(&parameters)
            if let backoff = fields.values.removeValue(forKey: "backoff") {
                guard let value = Double(backoff), value > 0, value < 1 else {
                    throw UnitTextError(text: backoff, expected: "a backoff: use a number between 0 and 1")
                }
                parameters.backoff = value
            }
            self = .aimd(parameters)
        case "vegas":
            var parameters = Vegas.Parameters()
            try fields.takeRange(&parameters)
            parameters.asPublished = try fields.takeFaults()
            self = .vegas(parameters)
        case "gradient2":
            var parameters = Gradient2.Parameters()
            try fields.takeRange(&parameters)
            parameters.asPublished = try fields.takeFaults()
            self = .gradient2(parameters)
        default: throw UnitTextError(text: text, expected: Self.forms)
        }
        if let unknown = fields.values.keys.min() {
            throw UnitTextError(text: text, expected: "a limit: \(kind) has no '\(unknown)'")
        }
    }

    /// How long a batch may queue.
    private static func wait(_ text: String) throws(UnitTextError) -> Duration {
        let wait = try Duration(text: text)
        guard wait <= .seconds(3600) else {
            throw UnitTextError(text: text, expected: "a time that a batch waits: use up to 1h")
        }
        return wait
    }

    package var description: String {
        switch self {
        case .none: "none"
        case .request(let number): "request:\(number)"
        case .fair(let number): "fair:\(number)"
        case .process(let number, let queue):
            "process:\(number)"
                + Self.fields([("queue", queue.capacity, 1000)], colon: ",")
                + (queue.wait == .seconds(10) ? "" : ",wait=\(queue.wait.text)")
        case .aimd(let set): "aimd" + Self.fields(of: set, set.backoff == 0.9 ? nil : "backoff=\(set.backoff)")
        case .vegas(let set): "vegas" + Self.fields(of: set, set.asPublished ? "faults=published" : nil)
        case .gradient2(let set): "gradient2" + Self.fields(of: set, set.asPublished ? "faults=published" : nil)
        }
    }

    private static func fields(of set: some AdaptiveParameters, _ more: String?) -> String {
        let standard = type(of: set).init()
        let start = Swift.min(Swift.max(standard.start, set.min), set.max)
        return fields(
            [("start", set.start, start), ("min", set.min, standard.min), ("max", set.max, standard.max)],
            more
        )
    }

    /// The fields that differ from their defaults.
    private static func fields(
        _ numbers: [(name: String, value: Int, standard: Int)],
        _ more: String? = nil,
        colon: String = ":"
    ) -> String {
        let texts =
            numbers.filter { $0.value != $0.standard }.map { "\($0.name)=\($0.value)" } + (more.map { [$0] } ?? [])
        return texts.isEmpty ? "" : colon + texts.joined(separator: ",")
    }

    /// What stands behind the colon.
    private struct Fields {
        /// As many connections no kernel has.
        private static let largest = 10_000_000

        let text: String
        private var first: Int?
        var values: [String: String] = [:]

        init(_ text: String, _ rest: Substring, takesNumber: Bool) throws(UnitTextError) {
            self.text = text
            var parts = rest.split(separator: ",", omittingEmptySubsequences: false)[...]
            if rest.isEmpty { parts = [] }
            if takesNumber, let number = parts.first {
                first = Int(number)
                parts = parts.dropFirst()
            }
            for part in parts {
                let sides = part.split(separator: "=", omittingEmptySubsequences: false)
                guard sides.count == 2, values.updateValue(String(sides[1]), forKey: String(sides[0])) == nil else {
                    throw UnitTextError(text: text, expected: LimitPolicy.forms)
                }
            }
        }

        func number() throws(UnitTextError) -> Int {
            guard let first, first > 0 else { throw UnitTextError(text: text, expected: LimitPolicy.forms) }
            guard first <= Self.largest else {
                throw UnitTextError(text: text, expected: "a limit: N is from 1 to \(Self.largest)")
            }
            return first
        }

        mutating func take(_ name: String, _ value: inout Int) throws(UnitTextError) {
            guard let given = values.removeValue(forKey: name) else { return }
            guard let number = Int(given), (1...Self.largest).contains(number) else {
                throw UnitTextError(
                    text: text,
                    expected: "a limit: \(name) takes a number from 1 to \(Self.largest), not '\(given)'"
                )
            }
            value = number
        }

        mutating func takeRange(_ set: inout some AdaptiveParameters) throws(UnitTextError) {
            try take("min", &set.min)
            try take("max", &set.max)
            set.start = Swift.min(Swift.max(set.start, set.min), set.max)
            try take("start", &set.start)
            guard set.min <= set.start, set.start <= set.max else {
                throw UnitTextError(text: text, expected: "a limit: min, start and max must come in that order")
            }
        }

        mutating func takeFaults() throws(UnitTextError) -> Bool {
            guard let faults = values.removeValue(forKey: "faults") else { return false }
            guard faults == "published" || faults == "fixed" else {
                throw UnitTextError(text: text, expected: "a limit: faults are fixed or published")
            }
            return faults == "published"
        }
    }
}
