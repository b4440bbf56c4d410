package import HTTP
internal import POSIX
package import PostRecords
package import Results
package import Scenarios
package import Testbed

/// Serves a run's live page.
package final class LiveServer: RunObserver, Sendable {
    private let run = LiveRun()
    private let server: Server
    private let address: SocketAddress

    /// Why the page cannot be served.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    /// Listens, on the network of the calling thread: call it before a namespace is entered, so that browsers reach it.
    /// - Parameter token: what every request must carry; nil for none, on loopback only.
    /// - Throws: ``Problem``
    package init(_ text: String, token: AccessToken?) throws(Problem) {
        guard let address = SocketAddress(text: text), address.port != nil else {
            throw Problem(
                description: "'\(text)' is not HOST:PORT with localhost or a numeric address, as in 127.0.0.1:9000 or "
                    + "[::1]:9000"
            )
        }
        guard let access = AccessRule(for: address, token: token) else {
            throw Problem(
                description: "\(address) is not loopback, and whoever reaches it could change settings; "
                    + "add --live-token-file, or use 127.0.0.1"
            )
        }
        do {
            server = try Server(
                listeningOn: address,
                bounds: ServerBounds(body: 64 << 10),
                responder: LivePage(run: run, access: access)
            )
        } catch {
            throw Problem(description: "cannot \(error)")
        }
        self.address = server.address
    }

    /// Where a browser finds it.
    package var link: String { "http://\(address)/" }

    /// Begins to answer. Threads are started: not before a user namespace has been entered.
    /// - Throws: ``TestbedError``
    package func began(_ result: RunResult) throws(TestbedError) {
        do throws(SystemCallError) {
            try server.start()
        } catch {
            throw TestbedError("the live page cannot be served: \(error)")
        }
        run.began(result)
    }

    package func settingsChanged(_ settings: SettingsDocument, in position: PhasePosition) {
        run.settingsChanged(settings, in: position)
    }

    package func sendingChanged(_ clients: [String: Bool]) { run.sendingChanged(clients) }

    package func noted(_ event: RunResult.Event) { run.noted(event) }

    package func sampled(_ point: TimelinePoint, _ progress: PhaseProgress) { run.sampled(point, progress) }

    package func phaseEnded(_ phase: PhaseResult, incidentLine: String?) {
        run.phaseEnded(phase, incidentLine: incidentLine)
    }

    package func takeRequests() -> [RunRequest] { run.takeRequests() }

    /// Tells the result to those who watch, and stops answering.
    package func ended(_ result: RunResult?) {
        run.ended(result)
        _ = server.drain(timeout: .seconds(2))
    }
}
