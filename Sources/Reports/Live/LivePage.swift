internal import HTTP
internal import HTTPTypes
internal import LoadGenerator
internal import PostRecords
internal import Scenarios
internal import Text

/// The live page, what moves it, and the switches on it.
struct LivePage: Responder {
    let run: LiveRun
    let access: AccessRule

    func respond(to request: Request) async -> Response {
        if let refusal = access.refusal(of: request) {
            return problem(refusal.status, refusal.message).challenging()
        }
        switch (request.head.method, request.path) {
        case (.get, "/"):
            var response = Response(.ok, contentType: "text/html; charset=utf-8", body: HTMLPage.live)
            // Within another site's page, its buttons could be pressed by somebody who does not see them.
            response.head.headerFields[.contentSecurityPolicy] = "frame-ancestors 'none'"
            response.head.headerFields[HTTPField.Name("X-Frame-Options")!] = "DENY"
            return response
        case (.get, "/events"):
            var response = Response(.ok, contentType: "text/event-stream", blocks: [], pieces: run.watch())
            response.head.headerFields[.cacheControl] = "no-store"
            return response
        case (.get, "/run.json"):
            return json(run.runSoFar)
        case (.get, "/charts"):
            return html(run.charts(nil))
        case (.get, let path) where path.hasPrefix("/stage/"):
            return html(run.charts(String(path.dropFirst(7))))
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
        case (.post, "/orders"):
            guard let order = try? JSONText.decode(Order.self, from: request.body) else {
                return problem(
                    .badRequest,
                    "the body is not {\"client\": NAME, \"send\": \"batch\", \"loop\" or \"pause\"}"
                )
            }
            return await ask(.send(order.order, client: order.client))
        case (.post, "/faults"):
            guard let asked = try? JSONText.decode(Asked.self, from: request.body) else {
                return problem(.badRequest, "the body is not {\"do\": FAULT}")
            }
            do {
                return await ask(.inject(try Fault(text: asked.do)))
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
                "there is no \(request.head.method) \(request.path); there are GET /, /events, /run.json, "
                    + "/charts, /stage/CHART and /settings, PATCH /settings, POST /orders, /faults, /next and /end"
            )
        }
    }

    func response(to error: RequestError, head: HTTPRequest?) -> Response {
        problem(error.status, error.message)
    }

    private func ask(_ action: RunRequest.Action) async -> Response {
        if let why = await run.ask(for: action) { return problem(.badRequest, why) }
        return json(run.settings)
    }

    /// What a client is to send that sends by hand.
    private struct Order: Decodable {
        enum What: String, Decodable {
            case batch, loop, pause
        }

        var client: String
        var send: What

        var order: Load.Order {
            switch send {
            case .batch: .batch
            case .loop: .loop
            case .pause: .pause
            }
        }
    }

    private struct Asked: Decodable {
        var `do`: String
    }

    private func html(_ markup: [Markup]) -> Response {
        var response = Response(
            .ok,
            contentType: "text/html; charset=utf-8",
            body: Array(markup.map(\.written).joined().utf8)
        )
        response.head.headerFields[.cacheControl] = "no-store"
        return response
    }

    private func json(_ value: some Encodable) -> Response {
        Response(.ok, contentType: "application/json", body: JSONText.encode(value) + Array("\n".utf8))
    }

    private func problem(_ status: HTTPResponse.Status, _ message: String) -> Response {
        Response(status, contentType: "application/json", body: JSONText.object([("message", message)]))
    }
}
