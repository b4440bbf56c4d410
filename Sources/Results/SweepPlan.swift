package import LoadGenerator
package import PostRecords
package import Units

/// A grid of settings to be measured, each cell so many times.
package struct SweepPlan: Sendable, Codable, Equatable {
    /// Cells beyond which it is asked first.
    package static let manyCells = 400
    /// More than anybody can wait for.
    package static let mostCombinations = 100_000
    /// Of each combination.
    package static let mostRepetitions = 100

    /// One combination of values, in the order of the variations.
    package struct Cell: Sendable, Codable, Hashable {
        package var values: [String]
        /// Which measurement of the combination it is, from 1.
        package var repetition: Int

        private enum CodingKeys: String, CodingKey {
            case values
            case repetition = "turn"
        }
    }

    package var variations: [Variation]
    /// Settings that are the same in all cells.
    package var fixed: [String: String] = [:]
    /// Kernel settings of each namespace; nil for none.
    package var sysctls: [String: String]?
    /// As they are written.
    package var clients: [String]
    /// Ports of each namespace; nil for the machine's own range.
    package var ports: Int?
    /// Seconds of load before it is measured, and while.
    package var warmUp: Double
    package var duration: Double
    /// Measurements of each combination.
    package var repetitions: Int
    package var seed: UInt64
    /// Somebody's own server, whose command the names stand in; nil for spiral-server, whose settings they are.
    package var service: ServicePlan?

    private enum CodingKeys: String, CodingKey {
        case variations, fixed, sysctls, clients, ports, warmUp, duration, seed, service
        case repetitions = "turns"
    }

    /// Why a plan cannot be carried out.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    package init(
        _ variations: [Variation],
        fixed: [String: String],
        sysctls: [String: String] = [:],
        clients: [ClientSpec],
        ports: Int?,
        warmUp: Duration,
        duration: Duration,
        repetitions: Int,
        seed: UInt64,
        service: ServicePlan? = nil
    ) throws(Problem) {
        self.variations = variations
        self.fixed = fixed
        self.sysctls = sysctls.isEmpty ? nil : sysctls
        self.clients = clients.map(\.description)
        self.ports = ports
        self.warmUp = warmUp.inSeconds
        self.duration = duration.inSeconds
        self.repetitions = repetitions
        self.seed = seed
        self.service = service
        if let problem { throw Problem(description: problem) }
        guard Set(clients.map(\.name)).count == clients.count else {
            throw Problem(description: "two callers have the same name")
        }
        if let problem = service?.problem(withNames: variations.map(\.name) + fixed.keys.sorted()) {
            throw Problem(description: problem)
        }
    }

    /// Why its grid is none, in words; nil for one that is.
    var problem: String? {
        if variations.isEmpty {
            return "the grid is empty; add --vary SETTING=VALUE,VALUE, as in --vary limit=none,request:16..1024x4"
        }
        for (index, variation) in variations.enumerated() {
            if fixed[variation.name] != nil {
                return "\(variation.name) is both fixed by --set and varied; leave one out"
            }
            if variations[..<index].contains(where: { $0.name == variation.name }) {
                return "\(variation.name) is varied twice; put all its values into one --vary"
            }
        }
        return nil
    }

    /// Combinations in the grid, those that are left out included.
    package var combinations: Int {
        variations.reduce(1) { product, variation in
            let (next, overflow) = product.multipliedReportingOverflow(by: variation.values.count)
            return overflow ? .max : next
        }
    }

    /// Each combination of values, those whose settings exclude each other left out.
    package var grid: [[String]] { judged.compactMap { $0.conflict == nil ? $0.values : nil } }

    /// Combinations that are left out, with the reason.
    package var leftOut: [(values: [String], reason: String)] {
        judged.compactMap { combination in combination.conflict.map { (combination.values, $0) } }
    }

    /// Measurements of the whole grid.
    package var cellCount: Int { grid.count * max(1, repetitions) }

    /// Each combination, and why it is left out; nil where it is not. A value is read once, and not for each combination
    /// that it is part of.
    private var judged: [(values: [String], conflict: String?)] {
        var combinations = [(values: [String](), settings: Settings(), conflict: String?.none)]
        let columns =
            fixed.sorted { $0.key < $1.key }.map { (name: $0.key, values: [$0.value], isVaried: false) }
            + variations.map { (name: $0.name, values: $0.values, isVaried: true) }
        for (name, values, isVaried) in columns {
            let changes = values.map { text in
                (text, Result { () throws(Settings.Problem) in try SettingChange(name, text) })
            }
            combinations = combinations.flatMap { combination in
                changes.map { text, change in
                    var combination = combination
                    if isVaried { combination.values.append(text) }
                    guard service == nil else { return combination }
                    switch change {
                    case .success(let change): combination.settings.apply([change])
                    case .failure(let problem): combination.conflict = combination.conflict ?? "\(problem)"
                    }
                    return combination
                }
            }
        }
        let names = Set(columns.map(\.name))
        return combinations.map { values, settings, conflict in
            let conflict = conflict ?? settings.conflict(among: names) ?? settings.misfitOverIPv4?.description
            return (values, service == nil ? conflict : nil)
        }
    }

    /// What is measured, in the order in which it is: each pass through the grid shuffled for itself.
    package var cells: [Cell] {
        var generator = SplitMix64(seed: seed)
        let grid = grid
        return (1...max(1, repetitions)).flatMap { repetition in
            grid.map { Cell(values: $0, repetition: repetition) }.shuffled(using: &generator)
        }
    }

    /// The client with the largest batches: the heavy caller. The first of several.
    package var heavyClient: String? {
        ((try? specs()) ?? []).reduce(nil as ClientSpec?) { largest, spec in
            guard let largest,
                largest.uris.lowerBound + largest.uris.upperBound >= spec.uris.lowerBound + spec.uris.upperBound
            else { return spec }
            return largest
        }?.name
    }

    /// The variation whose numbers are that of a limit: the one of that name, or of somebody's own server the first with
    /// three numbers or more.
    package var limitColumn: Int? {
        variations.firstIndex { $0.name == "limit" }
            ?? variations.firstIndex { variation in
                service != nil && variation.values.count { Self.limitNumber(in: $0) != nil } >= 3
            }
    }

    /// The number in `request:64`, and in `64`, whose kind is empty.
    package static func limitNumber(in limit: String) -> (kind: String, number: Int)? {
        if let number = Int(limit) { return ("", number) }
        let parts = limit.split(separator: ":")
        guard parts.count == 2, let number = Int(parts[1]) else { return nil }
        return (String(parts[0]), number)
    }

    /// What the clients send.
    /// - Throws: ``UnitTextError`` for a text that a file made up.
    package func specs() throws(UnitTextError) -> [ClientSpec] {
        var specs: [ClientSpec] = []
        let given = ClientSpec.Given(isSized: service?.request.isPlain != true)
        for client in clients { specs.append(try ClientSpec(text: client, given: given)) }
        return specs
    }

    /// What the placeholders of a command stand for in a combination.
    package func placeholders(_ values: [String]) -> [String: String] {
        fixed.merging(zip(variations.map(\.name), values)) { $1 }
    }

    /// The settings of a combination, by name.
    /// - Throws: ``Settings/Problem`` for values that a file made up.
    package func settings(_ values: [String]) throws(Settings.Problem) -> [SettingChange] {
        var changes: [SettingChange] = []
        for (name, text) in fixed.sorted(by: { $0.key < $1.key }) { changes.append(try SettingChange(name, text)) }
        for (variation, text) in zip(variations, values) { changes.append(try SettingChange(variation.name, text)) }
        return changes
    }

    /// The values of a combination by name of setting, as programs read them.
    package func named(_ values: [String]) -> [String: String] {
        Dictionary(zip(variations.map(\.name), values), uniquingKeysWith: { $1 })
    }

    /// A combination for people to read.
    package func text(_ values: [String]) -> String {
        zip(variations, values).map { "\($0.name)=\($1)" }.joined(separator: " ")
    }
}
