import Testing
import Text

@testable import Scenarios

@Suite("JSON Schema of scenarios")
struct ScenarioSchemaTests {
    private struct Node: Decodable {
        var properties: [String: Node]?
        var items: [Node]

        private enum CodingKeys: String, CodingKey { case properties, items }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            properties = try container.decodeIfPresent([String: Node].self, forKey: .properties)
            // A value that holds itself needs a box, and a list is one.
            items = try container.decodeIfPresent(Node.self, forKey: .items).map { [$0] } ?? []
        }
    }

    @Test("it has exactly the keys that files are read by")
    func keys() throws {
        let root = try JSONText.decode(Node.self, from: ScenarioSchema.json)
        #expect(root.properties?.keys.sorted() == ScenarioSchema.scenario.sorted())
        let phase = try #require(root.properties?["phases"]?.items.first)
        #expect(phase.properties?.keys.sorted() == ScenarioSchema.phase.sorted())
        let fault = try #require(phase.properties?["faults"]?.items.first)
        #expect(fault.properties?.keys.sorted() == ScenarioSchema.fault.sorted())
        let environment = try #require(root.properties?["environment"])
        #expect(environment.properties?.keys.sorted() == ScenarioSchema.environment.sorted())
        #expect(root.properties?["settings"]?.properties?.keys.contains("limit") == true)
    }
}
