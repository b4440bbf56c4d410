import Forecast
import KernelProbe
import LoadGenerator
import PostRecords
import Results
import Testing
import Units

@testable import Scenarios

/// The demo on 1,024 ports and on all of them: one story.
@Suite("Demo shapes")
struct DemoShapeTests {
    private let narrow: Scenario
    private let full: Scenario

    init() throws {
        narrow = try Scenario(yaml: try #require(ScenarioLibrary.yaml("demo")))
        full = try Scenario(yaml: try #require(ScenarioLibrary.yaml("demo-full-range")))
    }

    /// The settings in force in each phase, by its name.
    private func settings(_ scenario: Scenario) -> [String: [String: String]] {
        var settings = Settings()
        settings.apply(scenario.settings)
        var all: [String: [String: String]] = [:]
        for phase in scenario.phases {
            settings.apply(phase.changes)
            all[phase.name] = Dictionary(Settings.names.map { ($0, settings[$0]!) }, uniquingKeysWith: { $1 })
        }
        return all
    }

    @Test("the full form has the phases of the narrow one in their order, with the same settings and callers")
    func phases() {
        let shared = full.phases.filter { phase in narrow.phases.contains { $0.name == phase.name } }
        #expect(shared.map(\.name) == narrow.phases.map(\.name))
        let (narrowSettings, fullSettings) = (settings(narrow), settings(full))
        for (one, other) in zip(narrow.phases, shared) {
            #expect(narrowSettings[one.name] == fullSettings[one.name], "\(one.name)")
            #expect(one.clients.map(\.name) == other.clients.map(\.name), "\(one.name)")
            // What depends on the range: how many dials there are exactly, and whether all ports were taken.
            let claims = one.expectations.map(\.text).filter { !$0.contains("within") }
            #expect(Set(claims).isSubset(of: other.expectations.map(\.text)), "\(one.name)")
        }
        #expect(
            full.phases.map(\.name).filter { name in !shared.contains { $0.name == name } } == [
                "arrival-odd", "arrival-even",
            ]
        )
    }

    /// Lookups, failed ones among them, and when the ports ran out, by phase: each lookup beyond the idle connections dials.
    private func arithmetic(_ scenario: Scenario, ports: Int) -> [String: PortSimulation.Outcome] {
        var taken = 0
        var outcomes: [String: PortSimulation.Outcome] = [:]
        for phase in scenario.phases {
            var simulation = PortSimulation(ports: ports, maxIdle: 2)
            simulation.resting = taken
            let outcome = simulation.run(phase.clients, for: phase.duration)
            outcomes[phase.name] = outcome
            taken += outcome.dials
            if phase.name == "incident" { break }
        }
        return outcomes
    }

    @Test("in both the ports run out within the first two seconds of the incident, and nearly all of it fails")
    func exhaustion() throws {
        for (scenario, ports) in [(narrow, 1024), (full, 28_232)] {
            let outcomes = arithmetic(scenario, ports: ports)
            let incident = try #require(outcomes["incident"])
            let exhausted = try #require(incident.exhaustedAfter)
            #expect(exhausted <= 2, "\(scenario.name)")
            let failed = Double(incident.failedDials) / Double(incident.dials + incident.failedDials)
            #expect(failed > 0.95, "\(scenario.name): \(failed)")
            for (name, outcome) in outcomes where name != "incident" {
                #expect(outcome.failedDials == 0, "\(scenario.name), \(name)")
            }
            // Callers send until the incident's load ends: before that no port comes back.
            let begin = scenario.phases.firstIndex { $0.clients.contains { $0.uris.upperBound > 1000 } } ?? 0
            let end = try #require(scenario.phases.firstIndex { $0.name == "incident" })
            let sending = scenario.phases[begin...end].reduce(Duration.zero) { $0 + $1.duration }
            #expect(sending < PortRange.timeWait, "\(scenario.name)")
        }
    }

    @Test("the new caller sends batches as large as the outage's, fewer than three a second")
    func load() {
        for scenario in [narrow, full] {
            for client in scenario.phases.flatMap(\.clients) where client.name == "new-service" {
                #expect((15_000...20_000).contains(client.uris.lowerBound))
                #expect(client.schedule.meanRate.map { $0.perSecond < 3 } == true)
            }
        }
    }
}
