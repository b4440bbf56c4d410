internal import LoadGenerator
internal import PostRecords
package import Results
internal import Text

/// Two results that are to be compared: what each is, in what they differ that they should not, and what can still be
/// said of them.
package struct Sides {
    /// A line for each: file, date, machine, build.
    package let names: [String]
    /// Why they cannot be compared; empty when they can.
    package private(set) var obstacles: [String] = []
    /// What differs and is allowed for.
    private(set) var notes: [String] = []
    /// Whether times, threads and memory of both say something about each other.
    private(set) var isSameMachine = true

    /// - Parameters:
    ///   - before: the file's name and what is in it.
    ///   - after: likewise.
    package init(_ before: (file: String, RunResult), _ after: (file: String, RunResult)) {
        names = [
            Self.name("before", before.file, before.1.environment, before.1.scenario, before.1.build),
            Self.name("after", after.file, after.1.environment, after.1.scenario, after.1.build),
        ]
        compare(before.1, after.1)
    }

    /// - Parameters:
    ///   - before: the file's name and what is in it.
    ///   - after: likewise.
    package init(_ before: (file: String, SweepResult), _ after: (file: String, SweepResult)) {
        names = [("before", before), ("after", after)].map { side, one in
            guard let environment = one.1.environment else { return "\(side): \(one.file), nothing measured" }
            return Self.name(side, one.file, environment, "a sweep", one.1.build)
        }
        let (old, new) = (before.1.plan, after.1.plan)
        require("callers", old.clients.joined(separator: " "), new.clients.joined(separator: " "))
        func ports(_ plan: SweepPlan) -> String { plan.ports.map(grouped) ?? "machine" }
        require("ports", ports(old), ports(new))
        note("load while measured", "\(rounded(old.duration)) s", "\(rounded(new.duration)) s")
        func fixed(_ plan: SweepPlan) -> String {
            plan.fixed.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
        note("settings of all combinations", fixed(old), fixed(new))
        if let old = before.1.environment, let new = after.1.environment { compare(old, new) }
    }

    private static func name(
        _ side: String,
        _ file: String,
        _ place: Environment,
        _ what: String,
        _ build: ResultBuild?
    ) -> String {
        let ports = place.portRange.count == 2 ? ", ports \(place.portRange[0])-\(place.portRange[1])" : ""
        let arguments = place.arguments.isEmpty ? "" : ", spiral \(place.arguments.joined(separator: " "))"
        let by = build?.text.map { ", by \($0)" } ?? ""
        return "\(side): \(file), \(what)\(by), \(place.date), Linux \(place.kernel), \(place.cores) cores, memcached "
            + "\(place.memcached)\(ports)\(arguments)"
    }

    private mutating func require(_ what: String, _ before: String, _ after: String) {
        guard before != after else { return }
        obstacles.append("\(what): '\(before)' before and '\(after)' after")
    }

    private mutating func note(_ what: String, _ before: String, _ after: String) {
        guard before != after else { return }
        func shown(_ text: String) -> String { text.isEmpty ? "none" : text }
        notes.append("\(what): \(shown(before)) before, \(shown(after)) after")
    }

    private mutating func compare(_ before: RunResult, _ after: RunResult) {
        require("scenario", before.scenario, after.scenario)
        require("callers", load(before.environment), load(after.environment))
        require("network", before.environment.network.rawValue, after.environment.network.rawValue)
        func ports(_ run: RunResult) -> String { run.phases.first.map { grouped($0.portsCapacity) } ?? "" }
        if !before.phases.isEmpty, !after.phases.isEmpty {
            require("ephemeral ports of one source address", ports(before), ports(after))
        }
        note("seed", "\(before.environment.seed)", "\(after.environment.seed)")
        note("tcp_tw_reuse", before.environment.tcpTwReuse, after.environment.tcpTwReuse)
        compare(before.environment, after.environment)
    }

    private func load(_ place: Environment) -> String { place.clients.joined(separator: " ") }

    private mutating func compare(_ before: Environment, _ after: Environment) {
        let known = notes.count
        note("kernel", before.kernel, after.kernel)
        note("cores", "\(before.cores)", "\(after.cores)")
        note("lanes", before.lanes.map { "\($0)" } ?? "-", after.lanes.map { "\($0)" } ?? "-")
        note("memcached", before.memcached, after.memcached)
        note("libmemcached", before.libmemcached, after.libmemcached)
        note("descriptors", grouped(before.nofile), grouped(after.nofile))
        note("memory limit", before.memoryLimit ?? "", after.memoryLimit ?? "")
        isSameMachine = notes.count == known
    }
}
