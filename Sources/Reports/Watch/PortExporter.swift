package import HTTP
package import HTTPTypes
package import KernelProbe
internal import POSIX
internal import Synchronization

/// `spiral ports --listen`: answers Prometheus.
package final class PortExporter: ThreadResponder {
    /// Rows that have samples of their own where nobody says how many.
    package static let defaultRows = 100

    /// Whoever connects and says nothing, or keeps its connection from one scrape to the next, is in nobody's way.
    package static var bounds: ServerBounds {
        var bounds = ServerBounds.admin
        bounds.connections = 512
        return bounds
    }

    private let maxRows: Int
    private let metrics = Mutex<PortMetrics?>(nil)

    /// - Parameter maxRows: rows exported, the busiest ones: a bound for label values.
    package init(maxRows: Int) {
        self.maxRows = maxRows
    }

    /// Shows what a watch finds from now on.
    package func show(_ watch: PortWatch, _ view: PortView) {
        metrics.withLock { $0 = PortMetrics(watch, view, maxRows: maxRows) }
    }

    package func immediateResponse(to request: Request) -> Response? { nil }

    package func respond(to request: Request) -> Response {
        guard let metrics = metrics.withLock({ $0 }) else { return plain(.serviceUnavailable, "not yet\n") }
        switch (request.head.method, request.path) {
        case (.get, "/metrics"):
            return Response(
                .ok,
                contentType: "text/plain; version=0.0.4; charset=utf-8",
                body: Array(metrics.text(at: .now).utf8)
            )
        case (.get, "/healthz"): return plain(.ok, "ok\n")
        case (_, "/metrics"), (_, "/healthz"):
            var response = plain(.methodNotAllowed, "only GET and HEAD\n")
            response.head.headerFields[.allow] = "GET, HEAD"
            return response
        default: return plain(.notFound, "there is no \(request.path); there are /metrics, /healthz\n")
        }
    }

    package func response(to error: RequestError, head: HTTPRequest?) -> Response {
        plain(error.status, error.message + "\n")
    }

    private func plain(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }
}
