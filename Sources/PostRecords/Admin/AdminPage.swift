package import HTTP
internal import HTTPTypes
internal import Text

/// The admin listener: health, metrics, counters, and the settings that change while it runs.
package struct AdminPage: Responder {
    private static let pages = [
        "/healthz", "/metrics", "/admin/settings", "/admin/counters", "/debug/clients", "/debug/errors",
    ]

    private let service: Service
    private let settings: LiveSettings

    /// - Parameters:
    ///   - settings: those the service was started with.
    ///   - logFiles: that `log-sink` may be changed to, besides the one it was started with.
    package init(_ service: Service, settings: Settings, logFiles: [String] = []) {
        self.service = service
        self.settings = LiveSettings(settings, of: service, logFiles: logFiles)
    }

    package func respond(to request: Request) async -> Response {
        switch (request.head.method, request.path) {
        case (.get, "/healthz"):
            return Response(.ok, contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
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
            return await change(request.body)
        case (.get, "/debug/clients"):
            return json(ClientRanking(service.clients))
        case (.get, "/debug/errors"):
            return json(ErrorReport(service.log))
        case (_, let path) where Self.pages.contains(path):
            let message = "\(request.head.method) is not for \(request.path)"
            return ConnectError(.unimplemented, message, status: .methodNotAllowed).response
        default:
            let message = "there is no \(request.path); there are \(Self.pages.joined(separator: ", "))"
            return ConnectError(.unimplemented, message, status: .notFound).response
        }
    }

    package func response(to error: RequestError) -> Response {
        ConnectError(.invalidArgument, error.message, status: error.status).response
    }

    private func change(_ body: [UInt8]) async -> Response {
        let document: SettingsDocument
        do {
            document = try JSONText.decode(SettingsDocument.self, from: body)
        } catch {
            let example = #"{"limit": "request:64", "max-idle": 64}"#
            return ConnectError(.invalidArgument, "the body is not a JSON object of settings, as in \(example)")
                .response
        }
        do throws(Settings.Problem) {
            return json(SettingsDocument(try await settings.change(try document.changes())))
        } catch {
            return ConnectError(.invalidArgument, "\(error)").response
        }
    }

    private func json(_ value: some Encodable) -> Response {
        Response(.ok, contentType: "application/json", body: JSONText.encode(value) + Array("\n".utf8))
    }
}
