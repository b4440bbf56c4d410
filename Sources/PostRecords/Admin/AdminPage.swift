package import HTTP
package import HTTPTypes
internal import Text

/// The admin listener: health, metrics, counters, and the settings that change while it runs.
package struct AdminPage: ThreadResponder {
    /// Its pages, and the methods each is for.
    private static let pages: [(path: String, methods: String)] = [
        ("/healthz", "GET, HEAD"), ("/metrics", "GET, HEAD"), ("/admin/settings", "GET, HEAD, PATCH"),
        ("/admin/counters", "GET, HEAD, POST"), ("/debug/clients", "GET, HEAD"), ("/debug/errors", "GET, HEAD"),
    ]

    private let service: Service
    private let settings: LiveSettings
    private let access: AccessRule

    /// - Parameters:
    ///   - settings: those the service was started with.
    ///   - logFiles: that `log-sink` may be changed to, besides the one it was started with.
    ///   - access: whom it answers; all may ask for `/healthz`, which says and changes nothing.
    package init(_ service: Service, settings: Settings, logFiles: [String] = [], access: AccessRule) {
        self.service = service
        self.access = access
        self.settings = LiveSettings(settings, of: service, logFiles: logFiles)
    }

    package func immediateResponse(to request: Request) -> Response? {
        guard request.head.method == .get, request.path == "/healthz" else { return nil }
        return Response(.ok, contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
    }

    package func respond(to request: Request) -> Response {
        if let refusal = access.refusal(of: request) { return response(to: refusal, head: nil).challenging() }
        switch (request.head.method, request.path) {
        case (.get, "/metrics"):
            return Response(
                .ok,
                contentType: MetricsPage.contentType,
                body: Array(MetricsPage.text(service, settings.current).utf8)
            )
        case (.get, "/admin/counters"):
            return json(CounterSnapshot(service.engine, log: service.log, takePeaks: false))
        case (.post, "/admin/counters"):
            return json(CounterSnapshot(service.engine, log: service.log, takePeaks: true))
        case (.get, "/admin/settings"):
            return json(SettingsDocument(settings.current))
        case (.patch, "/admin/settings"):
            return change(request.body)
        case (.get, "/debug/clients"):
            return json(ClientRanking(service.clients, ports: service.ports))
        case (.get, "/debug/errors"):
            return json(ErrorReport(service.log))
        default:
            return Self.problem(with: request).response
        }
    }

    package func response(to error: RequestError, head: HTTPRequest?) -> Response {
        ConnectError(error).response
    }

    private static func problem(with request: Request) -> ConnectError {
        guard let page = pages.first(where: { $0.path == request.path }) else {
            let paths = pages.map(\.path).joined(separator: ", ")
            let message = "there is no \(request.path.prefix(100)); there are \(paths)"
            return ConnectError(.unimplemented, message, status: .notFound)
        }
        return .methodNotAllowed(request.head.method, for: page.path, allowed: page.methods)
    }

    private func change(_ body: [UInt8]) -> Response {
        let document: SettingsDocument
        do {
            document = try JSONText.decode(SettingsDocument.self, from: body)
        } catch {
            let example = #"{"limit": "request:64", "max-idle": 64}"#
            return ConnectError(.invalidArgument, "the body is not a JSON object of settings, as in \(example)")
                .response
        }
        do throws(Settings.Problem) {
            return json(SettingsDocument(try settings.change(try document.changes())))
        } catch {
            return ConnectError(.invalidArgument, "\(error)").response
        }
    }

    private func json(_ value: some Encodable) -> Response {
        Response(.ok, contentType: "application/json", body: JSONText.encode(value) + Array("\n".utf8))
    }
}
