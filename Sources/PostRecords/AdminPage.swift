package import FanOut
package import HTTP
internal import HTTPTypes
package import Telemetry

/// The admin listener: health, metrics, counters, and the settings that change while it runs.
package struct AdminPage: Responder {
    private let engine: FanOutEngine
    private let log: ErrorLog
    private let settings: LiveSettings

    package init(engine: FanOutEngine, log: ErrorLog, settings: Settings) {
        self.engine = engine
        self.log = log
        self.settings = LiveSettings(settings, engine: engine, log: log)
    }

    package func respond(to request: Request) async -> Response {
        switch (request.head.method, request.path) {
        case (.get, "/healthz"):
            return Response(.ok, contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
        case (.get, "/metrics"):
            return Response(
                .ok,
                contentType: MetricsPage.contentType,
                body: Array(MetricsPage.text(engine, log).utf8)
            )
        case (.get, "/admin/counters"):
            return json(CounterSnapshot(engine, log: log, takePeaks: false))
        case (.post, "/admin/counters"):
            return json(CounterSnapshot(engine, log: log, takePeaks: true))
        case (.get, "/admin/settings"):
            return json(SettingsDocument(settings.current))
        case (.patch, "/admin/settings"):
            return change(request.body)
        case (_, "/healthz"), (_, "/metrics"), (_, "/admin/counters"), (_, "/admin/settings"):
            let message = "\(request.head.method) is not for \(request.path)"
            return ConnectError(.unimplemented, message, status: .methodNotAllowed).response
        default:
            let pages = "/healthz, /metrics, /admin/settings and /admin/counters"
            return ConnectError(.unimplemented, "there is no \(request.path); there are \(pages)", status: .notFound)
                .response
        }
    }

    package func response(to error: RequestError) -> Response {
        ConnectError(.invalidArgument, error.message, status: error.status).response
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
            return json(SettingsDocument(try settings.change(document.changes)))
        } catch {
            return ConnectError(.invalidArgument, "\(error)").response
        }
    }

    private func json(_ value: some Encodable) -> Response {
        Response(.ok, contentType: "application/json", body: JSONText.encode(value) + Array("\n".utf8))
    }
}
