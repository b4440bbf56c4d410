package import FanOut
package import HTTP
internal import HTTPTypes
internal import POSIX
package import Telemetry

/// `bsky.Service` over HTTP: GetPostRecords, its alias GetPostRecord, and Ping.
package struct Endpoint: Responder {
    private let engine: FanOutEngine
    private let log: ErrorLog

    package init(engine: FanOutEngine, log: ErrorLog) {
        self.engine = engine
        self.log = log
    }

    package func respond(to request: Request) async -> Response {
        do throws(ConnectError) {
            switch request.path {
            case "/bsky.Service/GetPostRecords", "/bsky.Service/GetPostRecord":
                try checkForm(of: request)
                return try await getPostRecords(request)
            case "/bsky.Service/Ping":
                try checkForm(of: request)
                let _: Bsky_PingRequest = try JSONCodec.decode(request.body)
                return try JSONCodec.response(Bsky_PingResponse())
            default:
                throw ConnectError(
                    .unimplemented,
                    "there is no \(request.path); try POST /bsky.Service/GetPostRecords",
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
        let caller = CallerName.of(request)
        let outcomes = await engine.lookUp(KeyList(message.uris), for: caller)
        let body = await encode(outcomes) { place in
            log.record {
                ErrorLine(
                    message: "cached value is not a post record",
                    uri: message.uris[place],
                    error: "not the protobuf of one record and its meta",
                    client: caller
                )
            }
        }
        return Response(.ok, contentType: "application/json", body: body)
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
