internal import FanOut
package import HTTP
internal import HTTPTypes
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
                try checkForm(of: request)
                return try await getPostRecords(request)
            case "/bsky.Service/Ping":
                try checkForm(of: request)
                let _: Bsky_PingRequest = try JSONCodec.decode(request.body)
                return try JSONCodec.response(Bsky_PingResponse())
            default:
                throw ConnectError(
                    .unimplemented,
                    "there is no \(request.path); try POST \(Self.path)",
                    status: .notFound
                )
            }
        } catch {
            return error.response
        }
    }

    package func response(to error: RequestError) -> Response {
        let code: ConnectError.Code = error.status == .contentTooLarge ? .resourceExhausted : .invalidArgument
        return ConnectError(code, error.message, status: error.status).response
    }

    private func checkForm(of request: Request) throws(ConnectError) {
        let fields = request.head.headerFields
        guard request.head.method == .post else {
            throw ConnectError(.unimplemented, "use POST, not \(request.head.method)", status: .methodNotAllowed)
        }
        let type = fields[.contentType]?.lowercased().prefix { $0 != ";" && $0 != " " } ?? "none"
        guard type == "application/json" else {
            throw ConnectError(
                .unimplemented,
                "content type \(type) is not spoken here; send application/json",
                status: .unsupportedMediaType
            )
        }
        let coding = fields[.contentEncoding]?.lowercased() ?? "identity"
        guard coding == "identity" else {
            throw ConnectError(.unimplemented, "content encoding \(coding) is not spoken here; send identity")
        }
    }

    private func getPostRecords(_ request: Request) async throws(ConnectError) -> Response {
        let message: Bsky_GetPostRecordsRequest = try JSONCodec.decode(request.body)
        guard !message.uris.isEmpty else {
            throw ConnectError(.invalidArgument, "uris is empty; name at least one post URI")
        }
        for (place, uri) in message.uris.enumerated() {
            if let problem = PostURI.keyProblem(uri) {
                throw ConnectError(.invalidArgument, "uris[\(place)] cannot be looked up: \(problem)")
            }
        }
        let began = MonotonicInstant.now
        let account = service.clients.begin(CallerName.of(request), uris: message.uris.count)
        account.outstanding.increment(by: message.uris.count)
        defer { account.outstanding.decrement(by: message.uris.count) }
        let outcomes = try await lookUp(message.uris, for: account)
        let body = await encode(outcomes) { [log = service.log] place in
            log.record("reply unreadable") {
                ErrorLine(
                    message: "cached value is not a post record",
                    uri: message.uris[place],
                    error: "not the protobuf of one record and its meta",
                    client: account.name
                )
            }
        }
        report(outcomes, of: account, since: began)
        return Response(.ok, contentType: "application/json", body: body)
    }

    /// - Throws: ``ConnectError`` when a guard or the limit does not admit the batch.
    private func lookUp(_ uris: [String], for account: ClientAccount) async throws(ConnectError) -> [Outcome] {
        do throws(Overload) {
            do throws(Overload) {
                try service.guards.current.check(uris: uris.count, of: account)
            } catch {
                service.engine.counters.refusals.add(for: error.reason)
                throw error
            }
            return try await service.engine.lookUp(KeyList(uris), for: account)
        } catch {
            account.fail("RESOURCE_EXHAUSTED", count: uris.count)
            throw ConnectError(.resourceExhausted, error.message)
        }
    }

    /// Counts an answered batch for its caller, and traces it.
    private func report(_ outcomes: [Outcome], of account: ClientAccount, since began: MonotonicInstant) {
        var errors: [String: Int] = [:]
        var (hits, misses) = (0, 0)
        for outcome in outcomes {
            switch outcome {
            case .hit: hits += 1
            case .missing, .stored: misses += 1
            case .failed(let error): errors[error.name, default: 0] += 1
            }
        }
        let latency = MonotonicInstant.now - began
        account.finish(ok: hits + misses, latency: latency)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: latency,
                failed: !errors.isEmpty,
                [
                    ("client.name", .text(account.name)),
                    ("batch.uris", .number(outcomes.count)),
                    ("lookups.hits", .number(hits)),
                    ("lookups.misses", .number(misses)),
                    ("lookups.failed", .number(outcomes.count - hits - misses)),
                ] + errors.sorted { $0.key < $1.key }.map { ("lookups.errors.\($0.key)", .number($0.value)) }
            )
        )
    }

    /// Outcomes from which on a second core is worth its task.
    private static let partSize = 2000

    /// - Parameter unreadable: called with the index of a cached value that is no post record.
    private func encode(_ outcomes: [Outcome], unreadable: @escaping @Sendable (Int) -> Void) async -> [UInt8] {
        let parts = await withTaskGroup { group in
            for start in stride(from: 0, to: outcomes.count, by: Self.partSize) {
                group.addTask {
                    let slice = outcomes[start..<min(start + Self.partSize, outcomes.count)]
                    return (start, AnswerJSON(slice, unreadable: unreadable))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
        }
        return AnswerJSON.joined(parts.map(\.1))
    }
}
