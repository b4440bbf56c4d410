internal import HTTP
internal import HTTPTypes
internal import POSIX
internal import PostRecords
internal import Scenarios
internal import Text

/// The live page, what moves it, and the switches on it.
struct LivePage: Responder {
    let run: LiveRun
    /// What a request must carry; nil where loopback is guard enough.
    let token: String?

    func respond(to request: Request) async -> Response {
        if let refusal = refusal(of: request) { return refusal }
        switch (request.head.method, request.path) {
        case (.get, "/"):
            return Response(.ok, contentType: "text/html; charset=utf-8", body: HTMLPage.live)
        case (.get, "/events"):
            var response = Response(.ok, contentType: "text/event-stream", blocks: [], pieces: run.watch())
            response.head.headerFields[.cacheControl] = "no-store"
            return response
        case (.get, "/run.json"):
            return json(run.runSoFar)
        case (.get, "/settings"):
            return json(run.settings)
        case (.patch, "/settings"):
            guard let document = try? JSONText.decode(SettingsDocument.self, from: request.body) else {
                return problem(.badRequest, "the body is not a JSON object of settings")
            }
            do {
                return await ask(.change(try document.changes()))
            } catch {
                return problem(.badRequest, "\(error)")
            }
        case (.post, "/next"):
            return await ask(.nextPhase)
        case (.post, "/end"):
            return await ask(.end)
        default:
            return problem(
                .notFound,
                "there is no \(request.head.method) \(request.path); there are GET /, /events, /run.json and "
                    + "/settings, PATCH /settings, POST /next and /end"
            )
        }
    }

    func response(to error: RequestError) -> Response {
        problem(error.status, error.message)
    }

    /// Why a request is not served: no token, or a browser that somebody else's page sent.
    private func refusal(of request: Request) -> Response? {
        if let token {
            guard Self.isSame(Self.token(in: request), token) else {
                return problem(.unauthorized, "add ?token=TOKEN to the address, as --live-token has it")
            }
        } else {
            // A name that leads to 127.0.0.1 may be any page's of the world: DNS rebinding.
            let host = (request.head.authority ?? "").prefix { $0 != ":" }
            guard host == "localhost" || IPv4Address(text: String(host))?.isLoopback == true else {
                return problem(.forbidden, "ask for it by its address, as in http://127.0.0.1:PORT")
            }
        }
        let origin = request.head.headerFields[.origin]
        guard origin == nil || origin == "http://\(request.head.authority ?? "")" else {
            return problem(.forbidden, "another site's page cannot steer this run")
        }
        return nil
    }

    private static func token(in request: Request) -> String {
        let bearer = request.head.headerFields[.authorization] ?? ""
        if bearer.hasPrefix("Bearer ") { return String(bearer.dropFirst(7)) }
        let query = (request.head.path ?? "").split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        let field = query.split(separator: "&").first { $0.hasPrefix("token=") } ?? ""
        return String(field.dropFirst(6))
    }

    /// Compares in a time that does not tell how much was right.
    private static func isSame(_ given: String, _ token: String) -> Bool {
        let (given, token) = (Array(given.utf8), Array(token.utf8))
        guard given.count == token.count else { return false }
        return zip(given, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func ask(_ action: RunRequest.Action) async -> Response {
        if let why = await run.ask(for: action) { return problem(.badRequest, why) }
        return json(run.settings)
    }

    private func json(_ value: some Encodable) -> Response {
        Response(.ok, contentType: "application/json", body: JSONText.encode(value) + Array("\n".utf8))
    }

    private func problem(_ status: HTTPResponse.Status, _ message: String) -> Response {
        Response(status, contentType: "application/json", body: JSONText.object([("message", message)]))
    }
}
