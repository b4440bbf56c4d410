internal import KernelProbe
internal import LoadGenerator
internal import Results
internal import Scenarios
internal import Units

extension SweepPlan {
    /// The scenario that measures a combination.
    /// - Throws: ``UnitTextError``, ``Settings/Problem`` for a plan from a file that made them up.
    func scenario(_ values: [String]) throws -> Scenario {
        let specs = try specs()
        var scenario = Scenario(name: "sweep")
        scenario.setup.ports = ports
        for (name, value) in (sysctls ?? [:]).sorted(by: { $0.key < $1.key }) {
            scenario.setup.sysctls.append(try NamespaceSysctl(name, value))
        }
        scenario.settings = try settings(values)
        scenario.clients = specs
        var warm = PhasePlan(name: "warm-up", duration: .nanoseconds(Int64(warmUp * 1e9)))
        warm.clients = specs
        var measured = PhasePlan(name: "measured", duration: .nanoseconds(Int64(duration * 1e9)))
        measured.clients = specs
        scenario.phases = warmUp > 0 ? [warm, measured] : [measured]
        return scenario
    }
}
