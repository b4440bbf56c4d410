internal import FanOut
internal import Forecast
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Testbed
internal import Text
internal import Units
internal import Yams

extension Scenario {
    /// Reads a scenario from the bytes of a YAML file.
    /// - Throws: ``ScenarioProblems`` with all that is wrong.
    package init(yaml bytes: [UInt8]) throws(ScenarioProblems) {
        let text: String
        do throws(ScenarioProblem) {
            text = try YAMLText.decode(bytes)
        } catch {
            throw ScenarioProblems(problems: [error])
        }
        try self.init(yaml: text)
    }

    /// Reads a scenario from YAML.
    /// - Throws: ``ScenarioProblems`` with all that is wrong.
    package init(yaml: String) throws(ScenarioProblems) {
        var reader = ScenarioReader()
        let node: Node
        do throws(ScenarioProblem) {
            node = try YAMLText.root(yaml)
        } catch {
            throw ScenarioProblems(problems: [error])
        }
        let scenario = reader.scenario(node)
        guard reader.problems.isEmpty else { throw ScenarioProblems(problems: reader.problems) }
        self = scenario
    }
}

/// Makes a scenario of YAML nodes.
private struct ScenarioReader {
    private var yaml = YAMLReader()
    /// Clients the file names, those that could not be read included.
    private var named: Set<String> = []
    /// The settings in force in the phase that is read.
    private var inForce = Settings()

    var problems: [ScenarioProblem] { yaml.problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }

    mutating func scenario(_ node: Node) -> Scenario {
        let entries = yaml.mapping(node, "a scenario", keys: ScenarioSchema.scenario)
        var scenario = Scenario(name: entries["scenario"].flatMap { yaml.name($0, "scenario") } ?? "")
        if entries["scenario"] == nil { yaml.complain(node, "a scenario needs a name: 'scenario: NAME'") }
        if let node = entries["description"] { scenario.description = yaml.text(node, "description") ?? "" }
        if let node = entries["verdict"] { scenario.verdict = yaml.text(node, "verdict") ?? "" }
        if let node = entries["environment"] { scenario.setup = setup(node) }
        if let node = entries["sysctls"] { scenario.setup.sysctls = sysctls(node, scenario.setup) }
        if let node = entries["settings"] { scenario.settings = settings(node) }
        inForce.apply(scenario.settings)
        check(scenario.settings, at: entries["settings"], scenario.setup)
        if let node = entries["clients"] {
            scenario.clients = clients(node)
            named = Set(yaml.entries(node, "clients").map(\.name))
        }
        guard let node = entries["phases"] else {
            yaml.complain(node, "a scenario needs phases")
            return scenario
        }
        let phases = yaml.list(node, "phases")
        if phases.isEmpty { yaml.complain(node, "a scenario needs at least one phase") }
        scenario.phases = phases.compactMap { phase($0, of: scenario) }
        return scenario
    }

    private mutating func setup(_ node: Node) -> ScenarioSetup {
        var setup = ScenarioSetup()
        let entries = yaml.mapping(node, "environment", keys: ScenarioSchema.environment)
        func range(_ text: String, _ bounds: ClosedRange<Int>) throws(UnitTextError) -> Int {
            guard let number = Int(text), bounds.contains(number) else {
                throw UnitTextError(text: text, expected: "a number from \(bounds.lowerBound) to \(bounds.upperBound)")
            }
            return number
        }
        func flag(_ text: String) throws(UnitTextError) -> Bool {
            guard let value = Bool(text) else { throw UnitTextError(text: text, expected: "true or false") }
            return value
        }
        for (name, node) in entries {
            switch name {
            case "ports": setup.ports = yaml.value(node, name) { try range($0, 16...32_767) }
            case "tw-reuse": setup.twReuse = yaml.value(node, name) { try range($0, 0...2) }
            case "posts": setup.posts = yaml.value(node, name) { try range($0, 1...1_000_000) } ?? setup.posts
            case "preload": setup.isPreloaded = yaml.value(node, name, flag) ?? true
            case "nofile": setup.nofile = yaml.value(node, name) { try range($0, 64...1_000_000) }
            case "memory-limit": setup.memoryLimit = yaml.value(node, name) { try ByteCount(text: $0) }
            case "restart": setup.restarts = yaml.value(node, name, flag) ?? false
            case "log-threads": setup.logThreads = yaml.value(node, name) { try range($0, 10...100_000) }
            default: memcached(node, &setup.memcached)
            }
        }
        return setup
    }

    private mutating func sysctls(_ node: Node, _ setup: ScenarioSetup) -> [NamespaceSysctl] {
        // What the environment has a name for of its own.
        let others = [
            ("net.ipv4.ip_local_port_range", "ports", setup.ports != nil),
            ("net.ipv4.tcp_tw_reuse", "tw-reuse", setup.twReuse != nil),
        ]
        return yaml.entries(node, "sysctls").compactMap { key, name, value in
            if let other = others.first(where: { $0.0 == name && $0.2 }) {
                yaml.complain(key, "environment has \(other.1), which sets \(name) too; leave one out")
            }
            return yaml.value(value, name.printable) { try NamespaceSysctl(name, $0) }
        }
    }

    private func transport(_ text: String) throws(UnitTextError) -> MemcachedProcess.Transport {
        guard let transport = MemcachedProcess.Transport(rawValue: text) else {
            throw UnitTextError(text: text, expected: "a way to reach memcached: use ipv4, ipv6 or unix")
        }
        return transport
    }

    private mutating func memcached(_ node: Node, _ options: inout MemcachedProcess.Options) {
        for (name, node) in yaml.mapping(node, "memcached", keys: ScenarioSchema.memcached) {
            if name == "listen" {
                options.transport = yaml.value(node, name, transport) ?? options.transport
                continue
            }
            let number = yaml.value(node, name) { text throws(UnitTextError) -> Int in
                let largest = name == "threads" ? 64 : 1_000_000
                guard let number = Int(text), (1...largest).contains(number) else {
                    throw UnitTextError(text: text, expected: "a number from 1 to \(largest)")
                }
                return number
            }
            switch name {
            case "threads": options.threads = number ?? options.threads
            case "memory": options.memory = number ?? options.memory
            default: options.connections = number
            }
        }
    }

    private mutating func settings(_ node: Node) -> [SettingChange] {
        yaml.entries(node, "settings").compactMap { key, name, value in
            guard Settings.names.contains(name) else {
                let hint = nearest(name, of: Settings.names).map { "did you mean '\($0)'?" }
                let names = Settings.names.joined(separator: ", ")
                yaml.complain(key, "there is no setting '\(name)'; \(hint ?? "there are \(names)")")
                return nil
            }
            return yaml.value(value, name) { text in
                do throws(Settings.Problem) {
                    return try SettingChange(name, text)
                } catch {
                    // The reader puts the name before it.
                    throw Settings.Problem(setting: nil, reason: error.reason)
                }
            }
        }
    }

    private mutating func clients(_ node: Node) -> [ClientSpec] {
        yaml.entries(node, "clients").compactMap { key, name, value in
            yaml.value(value, "caller \(name)") { try ClientSpec(name: name, text: $0) }
        }
    }

    private mutating func phase(_ node: Node, of scenario: Scenario) -> PhasePlan? {
        let entries = yaml.mapping(node, "a phase", keys: ScenarioSchema.phase)
        guard let name = entries["name"].flatMap({ yaml.name($0, "name") }) else {
            if entries["name"] == nil { yaml.complain(node, "a phase needs a name") }
            return nil
        }
        var plan = PhasePlan(name: name, duration: .seconds(1))
        guard let length = entries["duration"] else {
            yaml.complain(node, "phase \(name) needs a duration, as in 'duration: 10s'")
            return nil
        }
        plan.duration = duration(length, "duration") ?? plan.duration
        plan.quickDuration = entries["quick"].flatMap { duration($0, "quick") }
        if let node = entries["title"] { plan.title = yaml.text(node, "title") ?? "" }
        if let node = entries["settings"] { plan.changes = settings(node) }
        for node in entries["clients"].map({ yaml.list($0, "clients") }) ?? [] {
            guard let client = yaml.text(node, "a caller") else { continue }
            guard let spec = scenario.clients.first(where: { $0.name == client }) else {
                // One that could not be read has been complained about.
                if named.contains(client) { continue }
                let names = scenario.clients.map(\.name)
                let hint = nearest(client, of: names).map { "did you mean '\($0)'?" }
                yaml.complain(
                    node,
                    "there is no caller '\(client)'; \(hint ?? "there are \(names.joined(separator: ", "))")"
                )
                continue
            }
            if spec.schedule.from >= plan.duration {
                yaml.complain(
                    node,
                    "caller \(client) starts at \(spec.schedule.from.text), after phase \(name) has ended"
                )
            }
            plan.clients.append(spec)
        }
        for node in entries["by-hand"].map({ yaml.list($0, "by-hand") }) ?? [] {
            guard let name = yaml.text(node, "a caller") else { continue }
            guard let spec = plan.clients.first(where: { $0.name == name }) else {
                if !named.contains(name) || scenario.clients.contains(where: { $0.name == name }) {
                    yaml.complain(node, "by-hand: '\(name)' is none of the callers of phase \(plan.name)")
                }
                continue
            }
            guard case .closed(1) = spec.schedule.arrival else {
                yaml.complain(node, "by-hand: \(name) must send one batch at a time: closed=1 instead of a rate")
                continue
            }
            plan.byHand.insert(name)
        }
        plan.faults = (entries["faults"].map { yaml.list($0, "faults") } ?? []).compactMap { fault($0, plan) }
        inForce.apply(plan.changes)
        check(plan.changes, at: entries["settings"], scenario.setup)
        let obstacle =
            scenario.setup.dialObstacle
            ?? DialObstacle.known(
                settings: inForce,
                clients: plan.clients,
                isPreloaded: scenario.setup.isPreloaded,
                hasFaults: !plan.faults.isEmpty
            )
        for node in entries["expect"].map({ yaml.list($0, "expect") }) ?? [] {
            let clients = plan.clients
            guard let claim = yaml.value(node, "expect", { try Expectation(text: $0, clients: clients) }) else {
                continue
            }
            if let obstacle, claim.names.contains("dials.expected") {
                yaml.complain(node, "expect: dials.expected cannot be predicted in phase \(name): \(obstacle)")
            }
            plan.expectations.append(claim)
        }
        for fault in plan.faults {
            guard case .setting(let change) = fault.effect else { continue }
            inForce.apply([change])
            check([change], at: entries["faults"], scenario.setup)
        }
        return plan
    }

    /// Complains of a change that has no meaning with the way to memcached.
    private mutating func check(_ changes: [SettingChange], at node: Node?, _ setup: ScenarioSetup) {
        let memcached: SocketAddress =
            switch setup.memcached.transport {
            case .ipv4: .ipv4(.loopback, port: 11211)
            case .ipv6: .ipv6(IPAddress(high: 0, low: 1), port: 11211)
            case .unix: .unix(path: "/memcached.socket")
            }
        guard let node, let misfit = inForce.misfit(ServerList([memcached])),
            changes.contains(where: { $0.name == misfit.setting })
        else { return }
        yaml.complain(node, "\(misfit)")
    }

    private mutating func duration(_ node: Node, _ what: String) -> Duration? {
        yaml.value(node, what) { text throws(UnitTextError) -> Duration in
            let duration = try Duration(text: text)
            guard duration > .zero, duration <= .seconds(3600) else {
                throw UnitTextError(text: text, expected: "a duration above zero, an hour at most")
            }
            return duration
        }
    }

    private mutating func fault(_ node: Node, _ plan: PhasePlan) -> Fault? {
        let entries = yaml.mapping(node, "a fault", keys: ScenarioSchema.fault)
        guard let doing = entries["do"], let when = entries["at"] else {
            yaml.complain(node, "a fault needs 'at' and 'do', as in {at: 2s, do: stop memcached}")
            return nil
        }
        let fault = yaml.value(doing, "do") { try Fault(text: $0) }
        guard var fault, let at = yaml.value(when, "at", { try Duration(text: $0) }) else { return nil }
        let shortest = min(plan.duration, plan.quickDuration ?? plan.duration)
        if at >= shortest { yaml.complain(when, "at: \(at.text) is after the end of the phase, \(shortest.text)") }
        fault.at = at
        return fault
    }
}
