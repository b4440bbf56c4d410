internal import ArgumentParser
internal import Commands
internal import Exec
internal import Glibc
internal import KernelProbe
internal import LoadGenerator
internal import POSIX
internal import Reports
internal import Results
internal import Sweeps
internal import Testbed
internal import Units

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Measure a grid of settings, each combination with ports, memcached and server of its own.",
        discussion: """
            Each combination gets a fresh network namespace, memcached and server; the order is shuffled. A heavy caller and \
            small ones send together; combinations are ranked by what the small ones waited.

              spiral sweep --vary limit=none,request:16..1024x4,fair:256 --vary max-idle=2,64 --repeat 3

            16..1024x4 stands for 16, 64, 256, 1024, and 16..64+16 for 16, 32, 48, 64. With --json a sweep that was \
            interrupted continues when it is called again with --resume. Exit status 0 if every combination was measured, \
            1 if one was not, 2 if the grid is wrong, 3 if this machine cannot run it.

              spiral sweep --server './server --limit {limit} --pool {pool}' --ready 8080 --with 'memcached -u root' \
                --vary limit=0,16..256x4 --vary pool=2,64

            With --server it is measured from outside: the callers' latency and what they got, dials, ports, TIME_WAIT, \
            threads and memory. Names and values of --vary and --set are free then; \\, is a comma in a value.
            """
    )

    @Option(help: ArgumentHelp("A setting and its values; repeat it for a grid.", valueName: "setting=values"))
    var vary: [String] = []

    @Flag(help: "The mitigation matrix: limit x dialer x log-mode, on top of what --vary says.")
    var matrix = false

    @Option(help: ArgumentHelp("A setting that is the same in all combinations.", valueName: "setting=value"))
    var set: [String] = []

    @OptionGroup
    var service: ServiceOptions

    @Option(
        help: ArgumentHelp(
            "A kernel setting of each combination's namespace, below net.ipv4. or net.ipv6.; repeat it for several.",
            valueName: "name=value"
        )
    )
    var sysctl: [String] = []

    @Option(
        help: ArgumentHelp(
            "A caller, as spiral-load takes them; repeat it. The largest is the heavy one.",
            valueName: "name:uris=lo..hi,rate=r/s"
        )
    )
    var client: [String] = []

    @Option(help: "Ports of each namespace, or 'machine' for this machine's range.")
    var ports = "4096"

    @Option(help: "Load before it is measured.")
    var warmUp = "2s"

    @Option(help: "Load while it is measured.")
    var duration = "5s"

    @Option(help: "Measurements of each combination; three or more tell differences from noise.")
    var `repeat` = 1

    @Option(help: "Chooses the order and the batches.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Where to keep the result, after each measurement; - for standard output.",
            valueName: "path"
        )
    )
    var json: String?

    @Option(help: ArgumentHelp("Where to write a row for each run; - for standard output.", valueName: "path"))
    var csv: String?

    @Option(help: ArgumentHelp("Where to write the report, one HTML file; - for standard output.", valueName: "path"))
    var report: String?

    @Flag(help: "Go on with the result in --json, which must be of the same grid.")
    var resume = false

    @Flag(help: "Do not ask before a grid of many combinations.")
    var yes = false

    @Flag(help: "Print the ranking and the findings only.")
    var quiet = false

    private static let clients = ["small:uris=1..10,rate=20/s,slo=250ms", "heavy:uris=20000,rate=2/s"]
    private static let plainClients = ["callers:rate=50/s,slo=250ms"]
    private static let matrixVariations = [
        "limit=none,request:64,fair:64", "dialer=bind:127.32.0.1,rotate", "log-mode=blocking,sampled",
    ]

    func validate() throws {
        _ = try plan()
        let outputs = [json, csv, report].compactMap { $0 }
        if let twice = outputs.first(where: { output in outputs.count { $0 == output } > 1 }) {
            let target = twice == "-" ? "standard output" : twice
            throw ValidationError("only one of --json, --csv and --report can go to \(target)")
        }
        guard !resume || (json != nil && json != "-") else {
            throw ValidationError("--resume goes on with the file that --json names; add it")
        }
    }

    private func plan() throws -> SweepPlan {
        let service = try service.plan()
        guard service == nil || !matrix else {
            throw ValidationError("--matrix varies settings of spiral-server; leave it out with --server")
        }
        let variations = try ((matrix ? Self.matrixVariations : []) + vary).map { text in
            try readOption("--vary", text) { try service == nil ? Variation(text: $0) : Variation(placeholder: $0) }
        }
        var fixed: [String: String] = [:]
        for text in set {
            if service != nil {
                let (name, value) = try placeholder(text)
                fixed[name] = value
                continue
            }
            let one = try readOption("--set", text, as: { try Variation(text: $0) })
            guard one.values.count == 1 else {
                throw ValidationError("--set: \(one.name) has several values; use --vary for them")
            }
            fixed[one.name] = one.values[0]
        }
        var sysctls: [String: String] = [:]
        for text in sysctl {
            let one = try readOption("--sysctl", text, as: NamespaceSysctl.init(text:))
            guard sysctls.updateValue(one.value, forKey: one.name) == nil else {
                throw ValidationError("--sysctl: \(one.name) is given twice; leave one out")
            }
        }
        let isPlain = service?.request.isPlain == true
        let specs = try (client.isEmpty ? isPlain ? Self.plainClients : Self.clients : client).map { text in
            try readOption("--client", text) { try ClientSpec(text: $0, given: .init(isSized: !isPlain)) }
        }
        guard ports == "machine" || Int(ports).map({ (16...32_767).contains($0) }) == true else {
            throw ValidationError("--ports: use a number from 16 to 32767, or machine")
        }
        guard (1...SweepPlan.mostRepetitions).contains(`repeat`) else {
            throw ValidationError("--repeat: use a number from 1 to \(SweepPlan.mostRepetitions)")
        }
        let load = try readOption("--duration", duration, as: { try Duration(text: $0) })
        guard (.milliseconds(500)...Self.longestLoad).contains(load) else {
            throw ValidationError("--duration: use 500ms to \(Self.longestLoad.text)")
        }
        let warmUp = try readOption("--warm-up", warmUp, as: { try Duration(text: $0) })
        guard warmUp <= Self.longestLoad else { throw ValidationError("--warm-up: use up to \(Self.longestLoad.text)") }
        do {
            return try SweepPlan(
                variations,
                fixed: fixed,
                sysctls: sysctls,
                clients: specs,
                ports: Int(ports),
                warmUp: warmUp,
                duration: load,
                repetitions: `repeat`,
                seed: seed,
                service: service
            )
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// A placeholder and its one value, any text.
    private func placeholder(_ text: String) throws -> (name: String, value: String) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2, CommandTemplate.isName(sides[0]) else {
            throw ValidationError("--set: '\(text)' is not a name and its value: write NAME=VALUE, as in pool=64")
        }
        return (sides[0], sides[1])
    }

    /// Of one measurement.
    private static let longestLoad = Duration.seconds(24 * 3600)

    func run() throws {
        let signals = SignalState.current()
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let plan = try plan()
        try ask(about: plan)
        try ServiceOptions.checkCommands(of: plan)
        let earlier = try earlierResult(plan)
        // Made first: what cannot be written is known before there is something to lose.
        let file = try json.map { try JSONOutput($0) }
        let table = try csv.map { try JSONOutput($0, option: "--csv") }
        let page = try report.map { try JSONOutput($0, option: "--report") }
        guard NetworkNamespace.isPermitted() else {
            throw Refusal(
                .machine,
                "a sweep needs network namespaces, which this machine permits to root only; 'spiral doctor' says more"
            )
        }
        let screen = Screen(output: [json, csv, report].contains("-") ? 2 : 1, isQuiet: quiet)
        let cells = plan.cellCount
        screen.print([
            "\(cells) \(cells == 1 ? "measurement" : "measurements"), at least \(Self.time(cells, of: plan)); those whose batches are not "
                + "answered in time take longer"
        ])
        var begun = earlier ?? SweepResult(plan)
        begun.build = .current
        var runner = SweepRunner(begun, file: json, signals: signals) { screen.print($0) }
        let result: SweepResult
        do {
            result = try runner.run()
        } catch let error as TestbedError {
            throw Refusal(.machine, "\(error)")
        }
        screen.conclude(result.summary(width: screen.width))
        try JSONOutput.each([
            screen.checkWritten,
            { if json == "-" { try file?.write(result) } },
            { try table?.write(Array(result.csv.utf8)) },
            { try page?.write(HTMLPage.report(result)) },
            { if let unsaved = runner.unsaved { throw Refusal(.machine, "--json: cannot \(unsaved)") } },
        ])
        if result.interrupted {
            throw Refusal(.failed, "interrupted\(json.map { "; --resume goes on with \($0)" } ?? "")")
        }
        if result.runs.contains(where: { !$0.isMeasured }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// How long so many cells take at the least.
    private static func time(_ cells: Int, of plan: SweepPlan) -> String {
        let seconds = Int((Double(cells) * (plan.warmUp + plan.duration + 1)).rounded(.up))
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\((seconds + 30) / 60) min"
        case ..<172_800: "\((seconds + 1800) / 3600) hours"
        default: "\((seconds + 43_200) / 86_400) days"
        }
    }

    /// Asks before hours of work.
    private func ask(about plan: SweepPlan) throws {
        guard plan.combinations <= SweepPlan.mostCombinations else {
            throw Refusal(
                .usage,
                "the grid has \(plan.combinations) combinations, and a sweep takes \(SweepPlan.mostCombinations) at most; "
                    + "leave values out"
            )
        }
        let cells = plan.cellCount
        guard cells > 0 else {
            let reason = plan.leftOut.first.map { ": \($0.reason)" } ?? ""
            throw Refusal(.usage, "no combination of the grid can be measured\(reason)")
        }
        guard cells > SweepPlan.manyCells, !yes else { return }
        let question = "\(cells) measurements take \(Self.time(cells, of: plan)) or more"
        guard isatty(0) == 1 else { throw Refusal(.usage, "\(question); add --yes, or leave values out") }
        print("\(question). Go on? [y/N] ", terminator: "")
        fflush(nil)
        guard readLine()?.lowercased().hasPrefix("y") == true else { throw Refusal(.usage, "nothing was measured") }
    }

    private func earlierResult(_ plan: SweepPlan) throws -> SweepResult? {
        guard resume, let json else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try InputFile.contents(of: json, upTo: ReportCommand.largestResult)
        } catch {
            throw Refusal(.usage, "--resume: cannot \(error)")
        }
        do {
            let result = try SweepResult(analyzing: bytes)
            guard result.plan == plan else {
                throw Refusal(.usage, "--resume: \(json) is of another grid; give the same options, or another --json")
            }
            return result
        } catch let error as RunResult.FormatError {
            throw Refusal(.usage, "--resume: \(json): \(error)")
        }
    }
}
