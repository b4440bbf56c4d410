internal import FanOut
internal import KernelProbe
internal import Limits
package import LoadGenerator
package import PostRecords
internal import Units

/// What is played of which cures. Two results with equal plans can be continued.
package struct CuresPlan: Codable, Sendable, Equatable {
    package static let heavyName = "new-service"
    package static let smallName = "appview"
    /// Ports that a default kernel has, 32768 to 60999, and those from 1024 to 65535.
    static let defaultPorts = 28_232
    static let allPorts = 64_512

    /// By name, in the order of the list; the incident comes first.
    package var cures: [String]
    /// Ephemeral ports of each namespace.
    package var ports: Int
    /// URIs of a batch of the heavy caller.
    package var uris: Int
    /// Batches of it in a round, one after the other.
    package var batchesPerRound: Int
    /// Whether the lookups of a batch go one after the other, each with a dial of its own, and not together.
    package var oneByOne: Bool
    package var repetitions: Int
    package var seed: UInt64

    /// - Parameters:
    ///   - cures: by name, each in ``Cure/all``; the incident is added, as verdicts are found beside it.
    ///   - ports: nil for a default kernel's.
    package init(_ cures: [String], ports: Int?, oneByOne: Bool = false, repetitions: Int, seed: UInt64) {
        self.cures = Cure.all.map(\.name).filter { $0 == Cure.incidentName || cures.contains($0) }
        self.oneByOne = oneByOne
        self.ports = ports ?? Self.defaultPorts
        // Four times the ports; the incident's own batches where that would be more than a process has descriptors for.
        uris = min(4 * self.ports, 18_000)
        batchesPerRound = uris < 4 * self.ports ? 2 : 1
        self.repetitions = repetitions
        self.seed = seed
    }

    /// The settings every cure begins with: the incident's own, but for a timeout that a slow machine does not meet; or one
    /// lookup of a batch at a time, and no connection kept.
    package var settings: Settings {
        var settings = Settings()
        settings.fanOut.lookupTimeout = .seconds(5)
        guard oneByOne else { return settings }
        settings.fanOut.limit = .request(1)
        settings.fanOut.maxIdle = 0
        return settings
    }

    /// Measurements of one cure.
    package static let mostRepetitions = 100

    /// What of it nobody can have asked for, in words; nil where there is nothing.
    var problem: String? {
        guard Set(cures).count == cures.count, cures.allSatisfy({ name in Cure.all.contains { $0.name == name } })
        else {
            return "it names cures that there are not, or one twice"
        }
        return repetitions <= Self.mostRepetitions ? nil : "nobody measures a cure so often"
    }

    /// A cure measured once.
    package struct Cell: Codable, Sendable, Hashable {
        package var cure: String
        /// From 1.
        package var repetition: Int
    }

    /// In the order in which they are measured.
    package var cells: [Cell] {
        (1...max(1, repetitions)).flatMap { repetition in cures.map { Cell(cure: $0, repetition: repetition) } }
    }

    var heavy: ClientSpec {
        var spec = ClientSpec(name: Self.heavyName, uris: uris...uris, rate: Rate(perSecond: 1))
        // Once the small callers are under way.
        spec.schedule = Schedule(.burst(batches: 1, every: .seconds(100_000)), from: .milliseconds(100))
        return spec
    }

    var small: ClientSpec {
        var spec = ClientSpec(name: Self.smallName, uris: 1...10, rate: Rate(perSecond: 20))
        spec.slo = .milliseconds(250)
        return spec
    }

    package var clients: [ClientSpec] { [heavy, small] }

    /// The range of a cure.
    func range(_ ports: Cure.Ports) -> PortRange {
        let count =
            switch ports {
            case .unchanged: self.ports
            case .doubled: self.ports * 2
            case .all: self.ports * Self.allPorts / Self.defaultPorts
            }
        let lowest = min(32_768, 65_536 - count)
        return PortRange(lowestPort: lowest, highestPort: lowest + count - 1)
    }
}
