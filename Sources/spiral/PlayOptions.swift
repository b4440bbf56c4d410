internal import ArgumentParser
internal import Commands
internal import Forecast
internal import HTTP
internal import KernelProbe
internal import POSIX
internal import Reports
internal import Results
internal import Scenarios
internal import Testbed
internal import Text

/// How a scenario is played, whichever it is.
struct PlayOptions: ParsableArguments {
    @Flag(help: "Play shorter phases, to see whether all of it works here.")
    var quick = false

    @Flag(help: "Use the machine's own network instead of a namespace: its other programs lose their ports too.")
    var hostNetwork = false

    @Option(
        help: ArgumentHelp(
            "A kernel setting of the run's namespace, below net.ipv4. or net.ipv6.; repeat it for several.",
            valueName: "name=value"
        )
    )
    var sysctl: [String] = []

    @Option(help: "Chooses the posts and the batches.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Where to write the result as JSON; - for standard output.", valueName: "path"))
    var json: String?

    @Option(help: ArgumentHelp("Where to write the report, one HTML file; - for standard output.", valueName: "path"))
    var report: String?

    @Flag(help: "Print the table and the verdict only.")
    var quiet = false

    @Option(
        help: ArgumentHelp(
            "Show the run in browsers while it is played, with switches for limit, dialer, max-idle and log mode.",
            valueName: "host:port"
        )
    )
    var live: String?

    @Option(
        help: ArgumentHelp(
            "What the live page's address must carry as ?token=; needed where it is not on loopback.",
            valueName: "token"
        )
    )
    var liveToken: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is that token; one on the command line is seen by all users of the machine.",
            valueName: "path"
        )
    )
    var liveTokenFile: String?

    var network: Environment.Network { hostNetwork ? .host : .namespace }

    /// - Throws: `ValidationError`
    func sysctls() throws -> [NamespaceSysctl] {
        try sysctl.map { try readOption("--sysctl", $0, as: NamespaceSysctl.init(text:)) }
    }

    func validate() throws {
        _ = try sysctls()
        if let json, json == report {
            throw ValidationError("--json and --report cannot both go to \(json == "-" ? "standard output" : json)")
        }
        guard liveToken == nil || live != nil else { throw ValidationError("--live-token needs --live") }
        guard liveTokenFile == nil || live != nil else { throw ValidationError("--live-token-file needs --live") }
        guard liveToken == nil || liveTokenFile == nil else {
            throw ValidationError("--live-token and --live-token-file: use one of them")
        }
    }

    private func token() throws(Refusal) -> AccessToken? {
        do throws(AccessToken.Problem) {
            if let liveTokenFile { return try .read(from: liveTokenFile) }
            return try liveToken.map { text throws(AccessToken.Problem) in try AccessToken(text) }
        } catch {
            throw Refusal(.usage, "\(liveTokenFile == nil ? "--live-token" : "--live-token-file"): \(error)")
        }
    }

    /// Plays a scenario, prints and writes the result, and ends with 1 when an expectation failed.
    /// - Throws: ``Refusal``, `ExitCode`
    func play(_ scenario: Scenario) throws {
        // Before the first thread: they inherit it, and a user namespace needs there to be none.
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let output = try json.map { try JSONOutput($0) }
        let page = try report.map { try JSONOutput($0, option: "--report") }
        let liveServer = try live.map { address throws(Refusal) in
            do {
                return try LiveServer(address, token: try token())
            } catch let refusal as Refusal {
                throw refusal
            } catch {
                throw Refusal(.usage, "--live: \(error)")
            }
        }
        let screen = Screen(output: json == "-" || report == "-" ? 2 : 1, isQuiet: quiet)
        var scenario = quick ? scenario.quick : scenario
        scenario.setup.sysctls += try sysctls()
        let player = ScenarioPlayer(
            scenario,
            network: network,
            seed: seed,
            arguments: Array(CommandLine.arguments.dropFirst()),
            observers: [RunProgress(screen)] + (liveServer.map { [$0] } ?? []),
            isSteerable: liveServer != nil,
            build: .current
        )
        let findings = player.examine()
        screen.print(
            findings.filter { $0.level != .good || $0.name == "prediction" }.flatMap(\.lines)
                .flatMap { $0.wrapped(to: screen.width, indent: "     ") }
        )
        guard !findings.contains(where: { $0.level == .bad }) else {
            throw Refusal(.machine, "it cannot be played here; 'spiral doctor' says more")
        }
        if let liveServer {
            screen.print(["live: \(liveServer.link)\(liveToken ?? liveTokenFile == nil ? "" : "?token=…")"])
        }
        let result: RunResult
        do {
            result = try player.play()
        } catch let error as TestbedError {
            throw Refusal(.machine, "\(error)")
        }
        screen.conclude(result.summary(width: screen.width, file: json))
        try JSONOutput.each([
            screen.checkWritten,
            { try output?.write(result) },
            { try page?.write(HTMLPage.report(result)) },
        ])
        if let reason = result.interruptedBecause { throw Refusal(.machine, reason) }
        if result.interrupted { throw Refusal(.failed, "interrupted") }
        guard result.verdict.pass else { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
