internal import ArgumentParser
internal import Commands
internal import HTTP
internal import POSIX
internal import PostRecords
internal import Units

/// What callers take of the process at the most.
struct BoundOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Connections of callers open at once; further ones are answered with 503. (default: a quarter of the \
            descriptors, 10000 at the most: the rest is for lookups and the admin listener)
            """,
            valueName: "n"
        )
    )
    var maxConnections: Int?

    @Option(help: ArgumentHelp("URIs of one request; more are resource_exhausted.", valueName: "n"))
    var maxUris = ProcessBounds.defaultMaxURIs

    @Option(
        help: ArgumentHelp(
            """
            Bytes of requests and answers held at once, with 900 for each URI on its way; beyond them requests are \
            resource_exhausted. A size, or none.
            """,
            valueName: "size"
        )
    )
    var maxHeldBytes = "1GiB"

    @Option(help: ArgumentHelp("Batches under way at once, those of callers that left among them.", valueName: "n"))
    var maxHeldBatches = 10_000

    @Option(help: ArgumentHelp("For a request's header fields to come, from its first byte.", valueName: "duration"))
    var headTimeout = "10s"

    @Option(help: ArgumentHelp("For a request's body to come.", valueName: "duration"))
    var bodyTimeout = "60s"

    @Option(help: ArgumentHelp("For a connection's first request, or the next one, to begin.", valueName: "duration"))
    var idleTimeout = "60s"

    @Option(help: ArgumentHelp("For a caller to take its answer.", valueName: "duration"))
    var writeTimeout = "60s"

    @Option(
        help: """
            What becomes of a batch whose caller has left, or has waited for as long as it said (Connect-Timeout-Ms, \
            grpc-timeout): finish, as the incident's service did, or cancel what is not begun of it.
            """
    )
    var abandoned = ServerBounds.Abandoned.cancel

    @Option(
        help: ArgumentHelp(
            "How long there must have been little to do before freed memory goes back to the kernel.",
            valueName: "duration"
        )
    )
    var trimAfter = "20s"

    func validate() throws {
        guard maxConnections.map((1...1_000_000).contains) ?? true else {
            throw ValidationError("--max-connections: use a number from 1 to 1000000")
        }
        guard (1...10_000_000).contains(maxUris) else {
            throw ValidationError("--max-uris: use a number from 1 to 10000000")
        }
        guard (1...10_000_000).contains(maxHeldBatches) else {
            throw ValidationError("--max-held-batches: use a number from 1 to 10000000")
        }
        _ = try (heldBytes(), server(body: 1), calm())
    }

    /// - Parameter body: bytes of a request's body.
    func process(body: Int) throws -> ProcessBounds {
        ProcessBounds(
            maxBody: body,
            maxURIs: maxUris,
            heldBytes: try heldBytes(),
            batches: maxHeldBatches,
            abandoned: abandoned
        )
    }

    /// - Parameter body: bytes of a request's body.
    func server(body: Int) throws -> ServerBounds {
        var bounds = ServerBounds(body: body)
        bounds.abandoned = abandoned
        bounds.connections = maxConnections ?? max(16, min(10_000, DescriptorLimit.current.soft / 4))
        bounds.headTimeout = try timeout("--head-timeout", headTimeout)
        bounds.bodyTimeout = try timeout("--body-timeout", bodyTimeout)
        bounds.idleTimeout = try timeout("--idle-timeout", idleTimeout)
        bounds.writeTimeout = try timeout("--write-timeout", writeTimeout)
        return bounds
    }

    func calm() throws -> Duration {
        try timeout("--trim-after", trimAfter)
    }

    private func heldBytes() throws -> Int? {
        if maxHeldBytes == "none" { return nil }
        let size = try readOption("--max-held-bytes", maxHeldBytes, as: ByteCount.init(text:))
        guard (1 << 20...1 << 50).contains(size.bytes) else {
            throw ValidationError("--max-held-bytes: use 1MiB to 1048576GiB, or none")
        }
        return size.bytes
    }

    private func timeout(_ option: String, _ text: String) throws -> Duration {
        let timeout = try readOption(option, text, as: Duration.init(text:))
        guard timeout >= .milliseconds(1) else { throw ValidationError("\(option): use 1ms or more") }
        return timeout
    }
}

extension ServerBounds.Abandoned: ExpressibleByArgument {}
