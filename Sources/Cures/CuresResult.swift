internal import PostRecords
package import Results
internal import Text

/// What `spiral cures` has measured, as `--json` writes it.
package struct CuresResult: Codable, Sendable {
    package static let currentSchema = "spiral-cures/1"

    /// One cure, measured once; or why it was not.
    package struct Run: Codable, Sendable {
        package var cell: CuresPlan.Cell
        package var measurement: CureMeasurement?
        /// What this machine lacks for it.
        package var unavailable: String?
        /// Why it broke off.
        package var error: String?
    }

    package var schema = CuresResult.currentSchema
    /// Nil until it is measured, and in results of before.
    package var build: ResultBuild?
    package var plan: CuresPlan
    package var environment: Environment?
    package var runs: [Run] = []
    /// A row for each cure, the best first; found from ``runs``.
    package var cures: [CureRow] = []
    package var rules: [String] = CureVerdict.rules.map { "\($0.verdict.text): \($0.rule)" }
    package var fidelity: [String] = []
    /// Why no row is held against what is expected of it; nil when all are.
    package var unjudged: String?
    package var interrupted = false

    package init(_ plan: CuresPlan) {
        self.plan = plan
    }

    /// What is measured; all else is found from it.
    private struct File: Decodable {
        var schema: String
        var build: ResultBuild?
        var plan: CuresPlan
        var environment: Environment?
        var runs: [Run]
        var interrupted: Bool
    }

    private struct Head: Decodable {
        var schema: String
    }

    /// Whether it is the JSON of cures, of whatever version.
    package static func claimsToBeOne(_ json: [UInt8]) -> Bool {
        (try? JSONText.decode(Head.self, from: json))?.schema.hasPrefix("spiral-cures/") ?? false
    }

    /// Reads what was measured, and judges it.
    /// - Throws: ``RunResult/FormatError``
    package init(json: [UInt8]) throws(RunResult.FormatError) {
        guard let head = try? JSONText.decode(Head.self, from: json), Self.claimsToBeOne(json) else {
            throw .init(description: "this is not the JSON of cures; write one with 'spiral cures --json PATH'")
        }
        guard head.schema == Self.currentSchema else {
            throw .init(
                description:
                    "its schema is \(head.schema), and this program reads \(Self.currentSchema); use the version that wrote it"
            )
        }
        if let problem = FigureBound.problem(in: json) {
            throw .init(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        guard let file = try? JSONText.decode(File.self, from: json) else {
            throw .init(description: "it says \(head.schema), but is damaged or incomplete")
        }
        if let problem = file.environment?.problem ?? file.plan.problem {
            throw .init(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        self.init(file.plan)
        build = file.build
        environment = file.environment
        runs = file.runs
        interrupted = file.interrupted
        judge()
    }

    /// Finds the rows.
    package mutating func judge() {
        func measured(_ name: String) -> [CureMeasurement] {
            runs.filter { $0.cell.cure == name }.compactMap(\.measurement)
        }
        let incident = measured(Cure.incidentName)
        unjudged = Self.slowness(of: incident)
        cures = Cure.all.filter { plan.cures.contains($0.name) }.compactMap { cure in
            let own = runs.filter { $0.cell.cure == cure.name }
            guard !own.isEmpty else { return nil }
            return CureRow(cure, plan, own, incident: incident, isJudged: unjudged == nil)
        }
        let order = Dictionary(uniqueKeysWithValues: Cure.all.enumerated().map { ($1.name, $0) })
        cures.sort { ($0.verdict.rank, order[$0.name]!) < ($1.verdict.rank, order[$1.name]!) }
        fidelity = environment.map { CuresFidelity.notes(plan, $0) } ?? []
    }

    /// Ports come back while batches fail that take longer than TIME_WAIT: the incident is no incident then.
    private static func slowness(of incident: [CureMeasurement]) -> String? {
        let longest = incident.map { $0.batches.reduce(0) { $0 + ($1.milliseconds ?? 0) } }.max() ?? 0
        guard longest > 50_000 else { return nil }
        return
            "on this machine the incident's batches took \(rounded(longest / 1000)) s, and ports come back after 60 s: "
            + "verdicts say little, and none is held against what is expected; fewer --ports are over sooner"
    }

    /// Expectations that failed, and cures that broke off.
    package var failures: [String] {
        cures.flatMap { row in
            row.expectations.filter { !$0.pass }.map { "\(row.name): \($0.text) (observed \($0.observed))" }
                + (row.error.map { ["\(row.name): \($0)"] } ?? [])
        }
    }
}
