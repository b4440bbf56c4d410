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
        let keys = try keys(of: request.body, codec)
        let began = MonotonicInstant.now
        let account = service.clients.begin(CallerName.of(request), uris: keys.count)
        account.outstanding.increment(by: keys.count)
        defer { account.outstanding.decrement(by: keys.count) }
        let reservation = try reserve(keys, for: account)
        defer { withExtendedLifetime(reservation) {} }
        let outcomes = try await lookUp(keys, for: account)
        let answer = await Answer(outcomes, in: codec) { [log = service.log] place in
            log.record("reply unreadable") {
                ErrorLine(
                    message: "cached value is not a post record",
                    uri: keys.text(place),
                    error: "not the protobuf of one record and its meta",
                    client: account.name
                )
            }
        }
        report(answer.tally, of: account, since: began)
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

    /// - Throws: ``ConnectError`` when a guard or a bound does not admit the batch.
    private func reserve(
        _ keys: KeyList,
        for account: ClientAccount
    ) throws(ConnectError) -> ProcessBounds.Reservation {
        do throws(Overload) {
            try service.guards.current.check(uris: keys.count, of: account)
            return try service.bounds.reserve(uris: keys.count)
        } catch {
            service.engine.counters.refusals.add(for: error.reason)
            throw refuse(keys, error, of: account)
        }
    }

    /// - Throws: ``ConnectError`` when the limit does not admit the batch.
    private func lookUp(_ keys: KeyList, for account: ClientAccount) async throws(ConnectError) -> [Outcome] {
        do throws(Overload) {
            return try await service.engine.lookUp(keys, for: account)
        } catch {
            throw refuse(keys, error, of: account)
        }
    }

    private func refuse(_ keys: KeyList, _ overload: Overload, of account: ClientAccount) -> ConnectError {
        account.fail("RESOURCE_EXHAUSTED", count: keys.count)
        return ConnectError(.resourceExhausted, overload.message)
    }

    /// Counts an answered batch for its caller, and traces it.
    private func report(_ tally: OutcomeTally, of account: ClientAccount, since began: MonotonicInstant) {
        let latency = MonotonicInstant.now - began
        account.finish(ok: tally.hits + tally.misses, latency: latency)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: latency,
                failed: tally.failed > 0,
                [
                    ("client.name", .text(account.name)),
                    ("batch.uris", .number(tally.hits + tally.misses + tally.failed)),
                    ("lookups.hits", .number(tally.hits)),
                    ("lookups.misses", .number(tally.misses)),
                    ("lookups.failed", .number(tally.failed)),
                ] + tally.errors.sorted { $0.key < $1.key }.map { ("lookups.errors.\($0.key)", .number($0.value)) }
            )
        )
    }
}
