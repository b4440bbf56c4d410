import LoadGenerator
import PostRecords
import Results
import TestSupport
import Testing
import Text
import Units

@testable import Scenarios

/// The one table of measures, and the claims made of it.
@Suite("Measures and expectations")
struct MeasureTests {
    private func client(_ text: String) throws -> ClientSpec { try ClientSpec(text: text) }

    private func judge(_ claim: String, _ phase: PhaseResult, _ clients: String...) throws -> (String, Bool) {
        let specs = try clients.map { try client("\($0):uris=5,rate=1/s,slo=50ms") }
        return try Expectation(text: claim, clients: specs).judge(phase)
    }

    @Test("every name of the table can be claimed of, and has a value where everything was measured")
    func allHaveValues() throws {
        let phase = PhaseResult.full([.made("a", slo: .milliseconds(50))])
        let names = Measures.ofPhases.map(\.name) + Measures.ofClients.map { "clients.a.\($0.name)" }
        #expect(Set(names).count == names.count)
        for name in names + ["lookups.errors.EADDRINUSE"] {
            let (observed, _) = try judge("\(name) >= 0", phase, "a")
            #expect(observed != "not measured", "\(name)")
        }
    }

    @Test("what the names stand for is what the JSON has under them")
    func namesAreThoseOfTheJSON() throws {
        let phase = PhaseResult.full([.made("a", slo: .milliseconds(50))])
        // These are sums of what the JSON has.
        let sums = ["lookups.errors", "lookups.total", "refusals"]
        for measure in Measures.ofPhases where !sums.contains(measure.name) {
            #expect(number(at: measure.name, in: JSONText.encode(phase)) == measure.value(phase), "\(measure.name)")
        }
        for measure in Measures.ofClients {
            let client = phase.clients[0]
            #expect(number(at: measure.name, in: JSONText.encode(client)) == measure.value(client), "\(measure.name)")
        }
        #expect(try judge("lookups.total == 97", phase).1)
        #expect(try judge("lookups.errors == 7", phase).1)
    }

    /// Follows the keys of a name in a document.
    private func number(at name: String, in json: [UInt8]) -> Double? {
        indirect enum Tree: Decodable {
            case number(Double), object([String: Tree]), other
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Double.self) {
                    self = .number(number)
                } else if let object = try? container.decode([String: Tree].self) {
                    self = .object(object)
                } else {
                    self = .other
                }
            }
        }
        var tree = try? JSONText.decode(Tree.self, from: json)
        for key in name.split(separator: ".") {
            guard case .object(let object) = tree else { return nil }
            tree = object[String(key)]
        }
        if case .number(let number) = tree { return number }
        return nil
    }

    @Test(
        "a client whose name has dots, or begins with another's, is read itself",
        arguments: [["a", "a.b"], ["a.b", "a"], ["a", "a.b", "a.b.ok", "a.latencyMs"]]
    )
    func dottedNames(names: [String]) throws {
        let clients = names.enumerated().map { number, name in
            ClientResult.made(name, batches: number + 2, milliseconds: Array(repeating: 40, count: number + 1))
        }
        let phase = PhaseResult.full(clients)
        for (number, name) in names.enumerated() {
            let specs = try names.map { try client("\($0):uris=5,rate=1/s") }
            for (measure, value) in [("batches", number + 2), ("ok", number + 1), ("failed", 1)] {
                let claim = try Expectation(text: "clients.\(name).\(measure) == \(value)", clients: specs)
                #expect(claim.judge(phase).pass, "\(claim.text): \(claim.judge(phase).observed)")
            }
            let latency = try Expectation(text: "clients.\(name).latencyMs.max within 1% of 40", clients: specs)
            #expect(latency.judge(phase).pass)
        }
    }

    @Test(
        "a claim with something that was not measured fails and says so, whichever way it points",
        arguments: [
            "clients.a.latencyMs.p99 < 50", "clients.a.latencyMs.p99 > 50", "clients.a.latencyMs.max == 0",
            "clients.a.latencyMs.p50 <= 1000", "clients.a.latencyMs.p99 != 3", "50 > clients.a.latencyMs.p999",
            "clients.gone.failed == 0", "clients.idle.slo.percent >= 99", "dials.expected == 0", "threadsPeak < 30",
            "rssPeakBytes < 64MiB", "lookups.errors.EADDRINUSE == 0", "lookups.errors == 0",
            "dials.expected * 0 + 1 == 1",
        ]
    )
    func notMeasured(text: String) throws {
        let phase = PhaseResult.empty([
            .made("a", batches: 3, milliseconds: [], slo: .milliseconds(50)),
            .made("idle", batches: 0, slo: .milliseconds(50)),
        ])
        let (observed, pass) = try judge(text, phase, "a", "idle", "gone")
        #expect(!pass)
        #expect(observed == "not measured")
    }

    @Test("both sides are shown, the one that was measured with its value")
    func bothSides() throws {
        var phase = PhaseResult.full([])
        phase.dials.expected = nil
        #expect(try judge("dials.ok within 1% of dials.expected", phase) == ("1,005 against not measured", false))
        #expect(try judge("1000 <= dials.ok", phase) == ("1,005", true))
    }

    @Test("what was counted and did not happen is a true 0, and no seconds are cut off")
    func counted() throws {
        let phase = PhaseResult.full([.made("a", batches: 2, milliseconds: [], slo: .milliseconds(50))])
        #expect(try judge("lookups.errors.EMFILE == 0", phase) == ("0", true))
        #expect(try judge("clients.a.slo.percent == 0", phase, "a") == ("0", true))
        #expect(try judge("clients.a.ok == 0", phase, "a") == ("0", true))
        #expect(try judge("duration > 2.7", phase) == ("2.75", true))
        #expect(try judge("duration == 2", phase).1 == false)
    }

    @Test(
        "a name that is none is refused, one that is nearly an error's too: it would always be 0",
        arguments: [
            ("lookups.errors.EADRINUSE == 0", "did you mean 'lookups.errors.EADDRINUSE'?"),
            ("lookups.errors. == 0", "there is no"), ("clients.a.slo == 0", "there is no"),
            ("clients.b.ok == 0", "there is no"), ("clients.a.latencyMs.p98 < 5", "did you mean"),
            ("dials.expcted > 0", "did you mean 'dials.expected'?"), ("lookups.hits.x > 0", "did you mean"),
            ("clients..ok > 0", "there is no"),
        ]
    )
    func unknownNames(text: String, says: String) throws {
        let error = #expect(throws: UnitTextError.self) { try judge(text, .empty(), "a") }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test(
        "the names of errors as they are counted are taken",
        arguments: ["EADDRNOTAVAIL", "ETIMEDOUT", "EOF", "EMFILE", "MEMCACHED_SERVER_ERROR", "MEMCACHED_RETURN_99"]
    )
    func errorNames(name: String) throws {
        #expect(try judge("lookups.errors.\(name) == 0", .full([])).1)
    }

    @Test(
        "a claim that holds of any result is none",
        arguments: ["1 < 2", "dials.ok != nan", "dials.ok < inf", "dials.ok within inf% of 3", "dials.ok < 1e999"]
    )
    func vacuous(text: String) {
        #expect(throws: UnitTextError.self) { try judge(text, .full([])) }
    }

    @Test("numbers beyond all counting are shown, too")
    func hugeNumbers() throws {
        #expect(try judge("dials.ok * 1e300 > 0", .full([])) == ("1.005e+303", true))
    }
}

/// The same as scenario files have them.
@Suite("Expectations that are refused beforehand")
struct ExpectationCheckTests {
    private func problems(_ phase: String, environment: String = "{}", settings: String = "{}") -> [String] {
        let yaml = """
            scenario: x
            environment: \(environment)
            settings: \(settings)
            clients: {a: "uris=5..40,rate=1/s", b: "uris=1,rate=1/s,slo=50ms"}
            phases:
              - {name: before, duration: 5s, clients: [a], faults: [{at: 1s, do: set max-batch 7}]}
              - {name: p, duration: 5s, \(phase)}
            """
        do {
            _ = try Scenario(yaml: yaml)
            return []
        } catch {
            return error.problems.map(\.message)
        }
    }

    @Test("the SLO of a client that has none is named")
    func noSLO() {
        #expect(problems("clients: [a, b], expect: [clients.b.slo.percent > 99]").isEmpty)
        let problem = problems("clients: [a, b], expect: [clients.a.slo.percent > 99]")
        #expect(problem.count == 1)
        #expect(problem.first?.contains("caller a has no SLO; add slo=DURATION to it") == true)
    }

    @Test(
        "so are dials that nothing can predict, with the reason",
        arguments: [
            ("clients: [a], faults: [{at: 1s, do: restart memcached}]", "{}", "{}", "the phase has faults"),
            ("clients: [a], settings: {max-batch: 0}", "{preload: false}", "{}", "not in memcached"),
            ("clients: [a], settings: {max-batch: 0}", "{}", "{fanout: \"multiget:5\"}", "shares connections"),
            // In force since a fault of the phase before.
            ("clients: [a]", "{}", "{}", "max-batch 7 refuses batches of 40 URIs"),
            ("clients: [a], settings: {max-batch: 0, max-per-caller: 9}", "{}", "{}", "max-per-caller 9 refuses"),
            ("clients: [a], settings: {max-batch: 0, limit: \"request:8\"}", "{}", "{}", "than max-idle 2 keeps"),
        ]
    )
    func unpredictable(phase: String, environment: String, settings: String, says: String) {
        let claim = ", expect: [dials.ok within 1% of dials.expected]"
        let problem = problems(phase + claim, environment: environment, settings: settings)
        #expect(problem.count == 1)
        #expect(problem.first?.contains(says) == true, "\(problem)")
        #expect(problems(phase, environment: environment, settings: settings).isEmpty)
    }

    @Test("what may be predicted is accepted")
    func predictable() {
        let claim = "expect: [dials.ok within 1% of dials.expected]"
        for rest in [
            "clients: [b]", "clients: [a, b], settings: {max-batch: 0}", "clients: [a], settings: {max-batch: 40}",
        ] {
            #expect(problems("\(rest), \(claim)").isEmpty, "\(rest)")
        }
        let kept = "clients: [a], settings: {max-batch: 0, limit: \"request:8\", max-idle: 8}"
        #expect(problems("\(kept), \(claim)").isEmpty)
    }
}
