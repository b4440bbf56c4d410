internal import ArgumentParser
internal import Incident

struct StageOptions: ParsableArguments {
    @Flag(help: "Use the machine's whole port range instead of 1,024 ports: slower, and the incident's own numbers.")
    var fullRange = false

    @Flag(help: "Use the machine's own network instead of a namespace: its other programs lose their ports too.")
    var hostNetwork = false

    var network: Stage.Network { hostNetwork ? .host : .namespace }

    /// The host's port range stays as it is.
    func plan(quick: Bool) -> DemoPlan {
        DemoPlan(fullRange: fullRange || hostNetwork, quick: quick)
    }
}
