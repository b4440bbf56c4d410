internal import ArgumentParser
internal import Commands
internal import Cures
internal import Forecast
internal import KernelProbe
internal import POSIX
internal import Reports
internal import Results
internal import Testbed
internal import Text

struct CuresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cures",
        abstract: "Play every change that people propose against the outage, and say what each does.",
        discussion: """
            Each cure gets a fresh network namespace, memcached and server, with the incident's settings and that one \
            change. The incident's load is sent at once and again a second later, beside small callers and the plain dials \
            of another program. Each gets a verdict by rule: cures, cures and harms, helps, does nothing, makes it worse.

              spiral cures --report cures.html --markdown cures.md
              spiral cures --only tw-reuse-1,late-bind,limit-idle --repeat 3

            With --json PATH, --resume continues a run that was interrupted. A cure that cannot be played here says why, and \
            does not count as failed. Exit status 0 if each row is what was expected of it, 1 if one is not or broke off, \
            2 for wrong usage, 3 if this machine cannot run it.
            """
    )

    @Flag(help: "Print the names of the cures, what each is, and the verdict that is expected.")
    var list = false

    @Option(help: ArgumentHelp("The cures to play, beside the incident itself.", valueName: "name,..."))
    var only: String?

    @Option(
        help: """
            Ephemeral ports of each namespace, 128 to 16384; batches have four times as many URIs. Below 512, what binds \
            itself to fixed numbers, as 64 lookups at once, is not held against what is expected of it.
            """
    )
    var ports = 1024

    @Flag(help: "A default kernel's 28,232 ports and batches of 18,000 URIs: minutes for each cure that does not cure.")
    var fullRange = false

    @Flag(
        help: """
            One lookup of a batch after the other, each with a dial of its own, as programs without a pool do: what gives \
            TIME_WAIT ports back helps those more. Without the cures that are about lookups that go together.
            """
    )
    var oneByOne = false

    @Option(help: "Measurements of each cure; the verdict is that of most.")
    var `repeat` = 1

    @Option(help: "Chooses the posts and the batches.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Where to keep the result, after each cure; - for standard output.", valueName: "path"))
    var json: String?

    @Option(help: ArgumentHelp("Where to write the page, one HTML file; - for standard output.", valueName: "path"))
    var report: String?

    @Option(help: ArgumentHelp("Where to write the tables as Markdown; - for standard output.", valueName: "path"))
    var markdown: String?

    @Flag(help: "Go on with the result in --json, which must be of the same options.")
    var resume = false

    @Flag(help: "Print the table only.")
    var quiet = false

    func validate() throws {
        _ = try names()
        guard (128...16_384).contains(ports) else { throw ValidationError("--ports: use a number from 128 to 16384") }
        guard !fullRange || ports == 1024 else { throw ValidationError("--full-range and --ports: use one of them") }
        guard (1...CuresPlan.mostRepetitions).contains(`repeat`) else {
            throw ValidationError("--repeat: use a number from 1 to \(CuresPlan.mostRepetitions)")
        }
        let outputs = [json, report, markdown].compactMap { $0 }
        if let twice = outputs.first(where: { output in outputs.count { $0 == output } > 1 }) {
            let target = twice == "-" ? "standard output" : twice
            throw ValidationError("only one of --json, --report and --markdown can go to \(target)")
        }
        guard !resume || (json != nil && json != "-") else {
            throw ValidationError("--resume goes on with the file that --json names; add it")
        }
    }

    private func names() throws -> [String] {
        let cures = Cure.all.filter { !(oneByOne && $0.isOfLookupsTogether) }
        let all = cures.map(\.name)
        guard let only else { return all }
        let chosen = only.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " })
        }
        for name in chosen where !all.contains(name) {
            if Cure.all.contains(where: { $0.name == name }) {
                throw ValidationError("--only: \(name) is about lookups that go together; leave out --one-by-one")
            }
            let near = nearest(name, of: all) ?? all.first { name.count > 2 && $0.hasPrefix(name.lowercased()) }
            let suggestion = near.map { "did you mean \($0)?" } ?? "'spiral cures --list' has their names"
            throw ValidationError("--only: '\(name)' is not a cure; \(suggestion)")
        }
        return chosen
    }

    func run() throws {
        if list { return try say(listing()) }
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let plan = CuresPlan(
            try names(),
            ports: fullRange ? nil : ports,
            oneByOne: oneByOne,
            repetitions: `repeat`,
            seed: seed
        )
        let earlier = try earlierResult(plan)
        // Made first: what cannot be written is known before there is something to lose.
        let file = try json.map { try JSONOutput($0) }
        let page = try report.map { try JSONOutput($0, option: "--report") }
        let text = try markdown.map { try JSONOutput($0, option: "--markdown") }
        guard NetworkNamespace.isPermitted() else {
            throw Refusal(
                .machine,
                "each cure needs a network namespace: \(NamespaceRefusal.here.reason); 'spiral doctor' says what to do"
            )
        }
        let screen = Screen(output: [json, report, markdown].contains("-") ? 2 : 1, isQuiet: quiet)
        var begun = earlier ?? CuresResult(plan)
        begun.build = .current
        var runner = CuresRunner(begun, file: json) { screen.print($0) }
        let result: CuresResult
        do {
            result = try runner.run()
        } catch let error as TestbedError {
            throw Refusal(.machine, "\(error)")
        }
        screen.conclude(result.summary)
        try JSONOutput.each([
            screen.checkWritten,
            { if json == "-" { try file?.write(result) } },
            { try page?.write(HTMLPage.report(result)) },
            { try text?.write(Array((result.markdown.joined(separator: "\n") + "\n").utf8)) },
            { if let unsaved = runner.unsaved { throw Refusal(.machine, "--json: cannot \(unsaved)") } },
        ])
        if result.interrupted {
            throw Refusal(.failed, "interrupted\(json.map { "; --resume goes on with \($0)" } ?? "")")
        }
        if !result.failures.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func listing() -> [String] {
        var table = TextTable(header: ["cure", "what it is", "expected"])
        for cure in Cure.all { table.add([cure.name, cure.title, cure.expected.text]) }
        return table.lines
    }

    private func earlierResult(_ plan: CuresPlan) throws -> CuresResult? {
        guard resume, let json else { return nil }
        let result = try ReportCommand.read(json) { bytes throws(RunResult.FormatError) in
            try CuresResult(json: bytes)
        }
        guard result.plan == plan else {
            throw Refusal(.usage, "--resume: \(json) is of other options; give the same ones, or another --json")
        }
        return result
    }
}
