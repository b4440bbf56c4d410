internal import ArgumentParser
internal import Commands
internal import HTTP
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Text
internal import Units

/// `spiral-load`: sends a load, and says what became of it.
@main
struct SpiralLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral-load",
        abstract: "Send batches of post URIs, or other requests, at set times, whether or not the server keeps up.",
        discussion: """
            Each caller has its own schedule and its own connections. A batch is sent when it is due, even \
            while earlier ones are unanswered, and its latency counts from then.

              spiral-load --client feed:uris=1..50,rate=20/s --duration 30s

            In place of rate, poisson=20/s, ramp=0/s..20/s, burst=5/10s, steps=5/s*10s+20/s*10s or closed=4 says when \
            batches are due. from=2s, until=8s, phase=0s, slo=100ms, codec=proto, popularity=zipf:1.1, hits=95% and \
            duplicates=10% may follow, and uris=90%:1..50,10%:20000 draws sizes by weight.

            Exit status: 0 when the load was sent, 1 when it was interrupted, nothing was answered or a --fail-if is so, 2 for \
            wrong usage, 3 when this machine ran out of something, so that the figures are not the server's.
            """,
        version: "spiral-load \(BuildFacts.current.text)",
        subcommands: [MergeCommand.self]
    )

    @OptionGroup
    var request: RequestOptions

    @Option(
        name: .customLong("client"),
        help: ArgumentHelp("A caller, NAME:uris=LO..HI,rate=R/s; repeat it for several.", valueName: "caller")
    )
    var clients: [String] = []

    @Option(
        help: ArgumentHelp(
            "Batches in flight at all times, for callers that do not say when theirs are due.",
            valueName: "n"
        )
    )
    var closed: Int?

    @Option(help: "How long batches are due; of a file that is replayed, to its end.")
    var duration: String?

    @Option(help: "At the beginning, before that: what is due in it is sent and not counted.")
    var warmUp = "0s"

    @Option(
        help: ArgumentHelp("Batches after which no more are due; those of the warm-up do not count.", valueName: "n")
    )
    var maxBatches: Int?

    @Option(help: "Chooses the posts, the batches and their gaps; the same seed asks for the same.")
    var seed: UInt64 = 1

    @Option(help: "Distinct posts that are asked for.")
    var posts = 100_000

    @Flag(help: "Store all posts in memcached first.")
    var preload = false

    @Option(
        help: ArgumentHelp(
            "How large the stored values are: posts as they come, fb-etc, twitter:1, twitter:18, twitter:29, or a size as in 2KiB.",
            valueName: "sizes"
        )
    )
    var sizes = "posts"

    @Option(help: ArgumentHelp("memcached servers for --preload.", valueName: "list"))
    var memcached = "127.0.0.1:11211"

    @Option(
        help: ArgumentHelp(
            "Address to connect from, or a network of them, 127.1.0.0/16 or fd00::/64, taken in turn; without it the "
                + "kernel chooses.",
            valueName: "ip"
        )
    )
    var source: String?

    @Option(help: "How long a batch may take, from when it is due; then it has failed.")
    var timeout = "60s"

    @Option(help: "How long to wait for more of an answer, too; without it only --timeout counts.")
    var readTimeout: String?

    @Option(help: "Batches of one caller in flight at once; further ones wait, and the run is not valid.")
    var maxInFlight: Int?

    @Option(
        help: ArgumentHelp(
            "When to begin, as 2026-04-06T12:00:00Z, so that several machines begin together.",
            valueName: "time"
        )
    )
    var startAt: String?

    @OptionGroup
    var trace: TraceOptions

    @OptionGroup
    var output: OutputOptions

    @Option(help: ArgumentHelp("Write a line of figures for each caller and second.", valueName: "path"))
    var csv: String?

    @OptionGroup
    var claim: ClaimOptions

    static func main() {
        runAndExit()
    }

    // All is looked through here and not in validate(), which is called for `merge` too.
    func run() throws {
        Signals.ignoreBrokenPipes()
        DescriptorLimit.raise()
        let plan: LoadPlan
        do {
            try trace.check()
            try claim.check()
            plan = try self.plan()
            try check(plan)
        } catch let error as ValidationError {
            throw Refusal(.usage, error.message)
        }
        try checkPaths()
        let outputs = try output.open(for: plan.clients.map(\.spec.name))
        let seconds = try SecondLines(csv: csv, total: plan.warmUp + plan.duration)
        let recording = try trace.record.map { try TraceFile($0) }
        let workload = Workload(seed: seed, count: posts)
        if preload { try fill(plan, workload) }
        // Until here nothing is lost by Ctrl-C, and whatever is waited for, a name, a pipe or memcached, can be given up.
        Signals.holdTermination()
        let names = plan.clients.map(\.spec.name)
        if let claim = try claim.searched(names) {
            let search = try SearchRun(plan, workload, claim).play()
            Self.letSignalsEnd()
            return try JSONOutput.each([
                { try search.best.map { try outputs.write($0.result, $0.records) } },
                { if let refusal = search.refusal { throw refusal } },
            ])
        }
        let thresholds = Thresholds(claims: try claim.claims(names), endsLoad: claim.failAtOnce)
        let finished = try LoadRun(plan, workload, observers: seconds, recording, thresholds).play()
        Self.letSignalsEnd()
        try JSONOutput.each(
            [{ try outputs.write(finished.result, finished.records) }]
                + finished.problems.map { problem in { throw problem } }
        )
        try judge(finished, of: plan)
    }

    /// From now on Ctrl-C ends this program: a pipe that is written to may have a reader that does not read.
    private static func letSignalsEnd() {
        while Signals.waitForTermination(upTo: .zero) != nil {}
        Signals.releaseTermination()
    }

    /// - Throws: ``Refusal`` unless all held.
    private func judge(_ finished: LoadRun.Finished, of plan: LoadPlan) throws {
        let result = finished.result
        if let reason = result.invalidBecause { throw Refusal(.machine, "the run is invalid: \(reason)") }
        guard finished.crossed.isEmpty else {
            throw Refusal(.failed, finished.crossed.map { "--fail-if \($0)" }.joined(separator: "; "))
        }
        if result.interrupted {
            throw Refusal(
                .failed,
                "interrupted after \(rounded(result.elapsed)) s of \(plan.duration.text); the figures are of that time"
            )
        }
        if result.answered == 0 {
            let isRefused = result.clients.contains { $0.errors["ECONNREFUSED"] != nil }
            throw Refusal(
                .failed,
                "no batch was answered"
                    + (isRefused ? "; is a server listening on \(listed(plan.options.form.addresses))?" : "")
            )
        }
    }

    private func listed(_ addresses: [SocketAddress]) -> String {
        addresses.map(\.description).joined(separator: " or ")
    }

    private func fill(_ plan: LoadPlan, _ workload: Workload) throws {
        let servers = try readOption("--memcached", memcached, as: ServerList.init(text:))
        let valueSizes = try readOption("--sizes", sizes, as: ValueSizes.init(text:))
        do {
            var source = plan.options.source
            let count = try Preload.run(
                workload,
                into: servers,
                sizes: valueSizes,
                from: source?.next().ipv4
            )
            note("stored \(grouped(count)) posts in \(memcached)")
        } catch {
            // Who answers otherwise is there, and is not memcached, or cannot store.
            let advice = if case .system = error { "; is memcached running on \(memcached)?" } else { "" }
            throw Refusal(.machine, "--preload: \(error)\(advice)")
        }
    }

    // MARK: Reading the options

    /// - Throws: ``ValidationError`` for claims that are none.
    private func check(_ plan: LoadPlan) throws {
        let names = plan.clients.map(\.spec.name)
        _ = try claim.claims(names)
        if let start = plan.startAt, start.instant() == nil { throw start.isOver }
        guard try claim.searched(names) != nil else { return }
        let isOpen = plan.clients.contains { $0.spec.schedule.scaled(by: 1) != nil }
        guard isOpen, trace.replay == nil, trace.record == nil, csv == nil, startAt == nil else {
            throw ValidationError(
                "--search: it needs callers with rates, and takes no --replay, --record, --csv and --start-at"
            )
        }
    }

    /// Two outputs in one file would be neither; what is replayed is read before it is written over.
    private func checkPaths() throws {
        let paths = [
            ("--json", output.json), ("--hdr", output.hdr), ("--csv", csv), ("--record", trace.record),
            ("--replay", trace.replay), ("--body-file", request.bodyFile),
        ].compactMap { option, path in path.map { (option: option, path: $0) } }
        for one in paths where one.path == "-" && one.option != "--json" {
            throw Refusal(.usage, "\(one.option): it has no '-'; write /dev/stdout or /dev/stdin")
        }
        for (index, one) in paths.enumerated() where !one.path.hasPrefix("/dev/") {
            guard let other = paths[..<index].first(where: { $0.path == one.path }) else { continue }
            throw Refusal(.usage, "\(other.option) and \(one.option) cannot both be \(one.path)")
        }
    }

    private func plan() throws -> LoadPlan {
        let clients = try loadClients()
        guard Set(clients.map(\.spec.name)).count == clients.count else {
            throw ValidationError("--client: two callers have one name; give each its own")
        }
        let warmUp = try time("--warm-up", warmUp, isZeroAllowed: true)
        let length = try duration.map { try time("--duration", $0) } ?? Self.length(of: clients)
        for client in clients where client.trace == nil {
            let schedule = client.spec.schedule
            guard schedule.from + (schedule.phase ?? .zero) < warmUp + length else {
                throw ValidationError(
                    "--client: \(client.spec.name) begins after \((schedule.from + (schedule.phase ?? .zero)).text), "
                        + "and the load ends after \((warmUp + length).text)"
                )
            }
        }
        guard (1...10_000_000).contains(posts) else {
            throw ValidationError("--posts: use a number from 1 to 10000000")
        }
        let largest = clients.map { $0.spec.sizes?.bounds.upperBound ?? 0 }.max() ?? 0
        guard largest <= posts else {
            throw ValidationError(
                "--posts: \(posts) posts cannot fill a batch of \(largest); ask for --posts \(largest)"
            )
        }
        for (option, value, range) in [
            ("--max-in-flight", maxInFlight, 1...100_000), ("--max-batches", maxBatches, 1...Int.max),
        ] {
            if let value, !range.contains(value) {
                throw ValidationError(
                    "\(option): use a number from 1\(range.upperBound == .max ? "" : " to \(range.upperBound)")"
                )
            }
        }
        _ = try readOption("--memcached", memcached, as: ServerList.init(text:))
        guard try readOption("--sizes", sizes, as: ValueSizes.init(text:)) == .posts || preload else {
            throw ValidationError("--sizes: it is for --preload")
        }
        let source = try source.map { try readOption("--source", $0, as: SourceAddresses.init(text:)) }
        var options = Load.Options(
            try request.form(from: source?.family),
            from: source,
            timeout: try time("--timeout", timeout)
        )
        options.readTimeout = try readTimeout.map { try time("--read-timeout", $0) }
        options.maxInFlight = maxInFlight
        options.maxBatches = maxBatches
        options.warmUp = warmUp
        options.trace = trace.content
        return LoadPlan(
            clients: clients.map { client in
                var phased = client
                phased.spec = client.spec.phased(seed: seed, within: warmUp + length)
                return phased
            },
            options: options,
            seed: seed,
            warmUp: warmUp,
            duration: length,
            startAt: try startAt.map { try readOption("--start-at", $0, as: StartTime.init(text:)) }
        )
    }

    private func loadClients() throws -> [Load.Client] {
        if let replayed = try trace.clients() {
            guard clients.isEmpty, !request.isPlain else {
                throw ValidationError(
                    "--replay: the file says what is sent; leave --client, --method and --body-file out"
                )
            }
            return replayed
        }
        var given = ClientSpec.Given(isSized: !request.isPlain)
        if let closed {
            guard (1...100_000).contains(closed) else {
                throw ValidationError("--closed: use a number from 1 to 100000")
            }
            given.arrival = .closed(closed)
        }
        guard !clients.isEmpty else {
            throw ValidationError("say who sends, with --client NAME:uris=LO..HI,rate=R/s, or --replay a file")
        }
        return try clients.map {
            Load.Client(try readOption("--client", $0) { try ClientSpec(text: $0, given: given) })
        }
    }

    /// 10 s, or until the last batch of what is replayed.
    private static func length(of clients: [Load.Client]) -> Duration {
        let last = clients.compactMap { $0.trace?.last?.offset }.max()
        return last.map { $0 + .nanoseconds(1) } ?? .seconds(10)
    }

    private func time(_ option: String, _ text: String, isZeroAllowed: Bool = false) throws -> Duration {
        let time = try readOption(option, text, as: Duration.init(text:))
        guard time > .zero || isZeroAllowed else {
            throw ValidationError("\(option): nothing can happen in 0s; ask for some time")
        }
        guard time <= ClientSpec.longest else {
            throw ValidationError("\(option): use up to \(ClientSpec.longest.text)")
        }
        return time
    }
}
