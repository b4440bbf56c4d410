internal import ArgumentParser
internal import Commands
internal import HTTP
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Text
internal import Units

@main
struct SpiralLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral-load",
        abstract: "Sends batches of post URIs at set rates, whatever the server makes of them.",
        discussion: """
            Each client has its own schedule and its own connections. A batch is sent when it is due, even \
            while earlier ones are unanswered, and its latency counts from then.

              spiral-load --client feed:uris=1..50,rate=20/s --duration 30s

            In place of rate, ramp=1/s..20/s or burst=5/10s says when batches are due. from=2s, until=8s, slo=100ms and \
            codec=proto may follow.
            """
    )

    @Option(help: ArgumentHelp("The server.", valueName: "url"))
    var target = "http://127.0.0.1:8080"

    @Option(
        name: .customLong("client"),
        help: ArgumentHelp("A client, NAME:uris=LO..HI,rate=R/s; repeat it for several.", valueName: "client")
    )
    var clients: [String]

    @Option(help: "How long batches are due.")
    var duration = "10s"

    @Option(help: "Chooses the posts and the batches; the same seed asks for the same.")
    var seed: UInt64 = 1

    @Option(help: "Distinct posts that are asked for.")
    var posts = 100_000

    @Flag(help: "Store all posts in memcached first.")
    var preload = false

    @Option(help: ArgumentHelp("memcached servers for --preload.", valueName: "list"))
    var memcached = "127.0.0.1:11211"

    @Option(help: ArgumentHelp("Address to connect from; without it the kernel chooses.", valueName: "ip"))
    var source: String?

    @Option(help: "How long to wait for more of an answer before the batch has failed.")
    var timeout = "60s"

    @Option(help: "Batches of one client on their way at once; beyond it a batch is counted as not sent.")
    var maxInFlight = 512

    @Option(help: ArgumentHelp("Where to write the result as JSON; - for standard output.", valueName: "path"))
    var json: String?

    static func main() {
        runAndExit()
    }

    func validate() throws {
        let options = try parsed()
        guard options.duration > .zero else {
            throw ValidationError("--duration: nothing is sent in 0s; ask for some time")
        }
        guard (1...10_000_000).contains(posts) else {
            throw ValidationError("--posts: use a number from 1 to 10000000")
        }
        guard (1...10_000).contains(maxInFlight) else {
            throw ValidationError("--max-in-flight: use a number from 1 to 10000")
        }
        let largest = options.specs.map(\.uris.upperBound).max() ?? 0
        guard largest <= posts else {
            throw ValidationError(
                "--posts: \(posts) posts cannot fill a batch of \(largest); ask for --posts \(largest)"
            )
        }
        guard Set(options.specs.map(\.name)).count == options.specs.count else {
            throw ValidationError("--client: two clients have one name; give each its own")
        }
    }

    func run() throws {
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let options = try parsed()
        let output = try json.map { try JSONOutput($0) }
        let workload = Workload(seed: seed, count: posts)
        if preload {
            do {
                let count = try Preload.run(workload, into: options.servers, from: options.source)
                note("stored \(grouped(count)) posts in \(memcached)")
            } catch {
                throw Refusal(.machine, "--preload: \(error); is memcached running on \(memcached)?")
            }
        }
        let result = try attack(options, workload)
        let lines = result.summary.joined(separator: "\n")
        if json == "-" { note(lines) } else { print(lines) }
        try output?.write(result)
        if !result.clients.contains(where: { $0.ok > 0 }) {
            throw Refusal(.failed, "no batch was answered; is a server listening on \(options.target.address)?")
        }
    }

    private func attack(_ options: Parsed, _ workload: Workload) throws -> LoadResult {
        let attacks = options.specs.map {
            Attack(
                $0,
                to: options.target,
                from: options.source,
                workload: workload,
                timeout: options.timeout,
                maxInFlight: maxInFlight
            )
        }
        let beginning = MonotonicInstant.now
        for attack in attacks { try attack.start(for: options.duration) }
        var interrupted = false
        while attacks.contains(where: { !$0.isStopped || $0.recorder.pending > 0 }) {
            guard Signals.waitForTermination(upTo: .milliseconds(20)) != nil else { continue }
            // The first signal ends the schedule; what is on its way is not waited for.
            interrupted = true
            for attack in attacks { attack.stop() }
            break
        }
        return LoadResult(
            target: options.target,
            seed: seed,
            duration: options.duration,
            elapsed: .now - beginning,
            interrupted: interrupted,
            specs: options.specs,
            clients: attacks.map(\.recorder.result)
        )
    }

    private struct Parsed {
        var target: Target
        var specs: [ClientSpec]
        var duration: Duration
        var timeout: Duration
        var source: IPv4Address?
        var servers: ServerList
    }

    private func parsed() throws -> Parsed {
        var address: IPv4Address?
        if let source {
            address = IPv4Address(text: source)
            guard address != nil else { throw ValidationError("--source: '\(source)' is not a numeric IPv4 address") }
        }
        return Parsed(
            target: try readOption("--target", target, as: { try Target(text: $0, defaultPath: Endpoint.path) }),
            specs: try clients.map {
                try readOption("--client", $0, as: ClientSpec.init(text:))
            },
            duration: try readOption("--duration", duration, as: Duration.init(text:)),
            timeout: try readOption("--timeout", timeout, as: Duration.init(text:)),
            source: address,
            servers: try readOption("--memcached", memcached, as: ServerList.init(text:))
        )
    }
}
