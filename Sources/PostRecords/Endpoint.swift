internal import FanOut
package import HTTP
package import HTTPTypes
internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// `bsky.Service` over HTTP: GetPostRecords, its alias GetPostRecord, and Ping.
package struct Endpoint: Responder {
    package static let path = "/bsky.Service/GetPostRecords"

    private let service: Service

    package init(_ service: Service) {
        self.service = service
    }

    package func respond(to request: Request) async -> Response {
        do throws(ConnectError) {
            switch request.path {
            case Self.path, "/bsky.Service/GetPostRecord":
                return try await getPostRecords(request, try codec(of: request))
            case "/bsky.Service/Ping":
                let codec = try codec(of: request)
                let _: Bsky_PingRequest = try codec.decode(request.body)
                return try codec.response(Bsky_PingResponse())
            default:
                throw ConnectError(
                    .unimplemented,
                    "there is no \(request.path.prefix(100)); try POST \(Self.path)",
                    status: .notFound
                )
            }
        } catch {
            return error.response
        }
    }

    package func response(to error: RequestError, head: HTTPRequest?) -> Response {
        ConnectError(error).response
    }

    private func codec(of request: Request) throws(ConnectError) -> Codec {
        let fields = request.head.headerFields
        guard request.head.method == .post else {
            throw .methodNotAllowed(request.head.method, for: request.path, allowed: "POST")
        }
        guard request.hasLength else {
            var error = ConnectError(
                .invalidArgument,
                "it is not said how long the body is; send Content-Length, or Transfer-Encoding: chunked",
                status: .lengthRequired
            )
            error.closes = true
            throw error
        }
        let type = fields[.contentType]?.asciiLowercased.prefix { $0 != ";" && $0 != " " } ?? "none"
        guard let codec = Codec.allCases.first(where: { $0.contentType == type }) else {
            throw ConnectError(
                .unimplemented,
                "content type \(type) is not spoken here; send application/json or application/proto",
                status: .unsupportedMediaType
            )
        }
        let coding = fields[.contentEncoding]?.asciiLowercased ?? "identity"
        guard coding == "identity" else {
            throw ConnectError(.unimplemented, "content encoding \(coding) is not spoken here; send identity")
        }
        return codec
    }

    private func getPostRecords(_ request: Request, _ codec: Codec) async throws(ConnectError) -> Response {
        let arrived = MonotonicInstant.now
        let keys = try keys(of: request.body, codec)
        let account = service.clients.begin(CallerName.of(request), uris: keys.count)
        account.outstanding.increment(by: keys.count)
        defer { account.outstanding.decrement(by: keys.count) }
        let reservation: ProcessBounds.Reservation
        let outcomes: [Outcome]
        do throws(Overload) {
            reservation = try admit(keys, for: account)
            outcomes = try await service.engine.lookUp(keys, for: account)
        } catch {
            refuse(keys.count, of: account, since: arrived, error)
            throw ConnectError(.resourceExhausted, error.message)
        }
        defer { withExtendedLifetime(reservation) {} }
        let answer = await Answer(outcomes, in: codec)
        report(answer.tally, of: account, since: arrived)
        return Response(.ok, contentType: codec.contentType, blocks: answer.body)
    }

    /// The URIs that a request asks for.
    /// - Throws: ``ConnectError`` when it cannot be read, or one of them cannot be looked up.
    private func keys(of body: [UInt8], _ codec: Codec) throws(ConnectError) -> KeyList {
        do throws(ConnectError) {
            return try KeyList.read(body, in: codec, limit: service.bounds.maxURIs)
        } catch {
            if error.code == .resourceExhausted { service.engine.counters.refusals.add(for: .maxURIs) }
            throw error
        }
    }

    /// - Throws: ``Overload`` when a guard or a bound does not admit the batch.
    private func admit(
        _ keys: KeyList,
        for account: ClientAccount
    ) throws(Overload) -> ProcessBounds.Reservation {
        do throws(Overload) {
            try service.guards.current.check(uris: keys.count, of: account)
            return try service.bounds.reserve(uris: keys.count)
        } catch {
            service.engine.counters.refusals.add(for: error.reason)
            throw error
        }
    }

    /// Counts a batch that was not looked up for its caller, and traces it.
    private func refuse(_ uris: Int, of account: ClientAccount, since arrived: MonotonicInstant, _ overload: Overload) {
        account.fail("RESOURCE_EXHAUSTED", count: uris)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: .now - arrived,
                failed: true,
                [
                    ("client.name", .text(account.name)), ("batch.uris", .number(uris)),
                    ("batch.refused", .text(overload.reason.rawValue)),
                ]
            )
        )
    }

    /// Counts an answered batch for its caller, and traces it.
    private func report(_ tally: OutcomeTally, of account: ClientAccount, since arrived: MonotonicInstant) {
        let latency = MonotonicInstant.now - arrived
        account.finish(ok: tally.hits + tally.misses, latency: latency)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: latency,
                failed: tally.failed > 0,
                [
                    ("client.name", .text(account.name)),
                    ("batch.uris", .number(tally.hits + tally.misses + tally.unreadable + tally.failed)),
                    ("lookups.hits", .number(tally.hits)),
                    ("lookups.misses", .number(tally.misses)),
                    ("lookups.unreadable", .number(tally.unreadable)),
                    ("lookups.failed", .number(tally.failed)),
                ] + tally.errors.sorted { $0.key < $1.key }.map { ("lookups.errors.\($0.key)", .number($0.value)) }
            )
        )
    }
}
