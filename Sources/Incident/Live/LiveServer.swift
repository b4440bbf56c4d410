package import HTTP
internal import POSIX

/// Serves a run's live page.
package struct LiveServer: Sendable {
    let run = LiveRun()
    private let server: Server
    private let address: SocketAddress

    /// Why the page cannot be served.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    /// Listens, on the network of the calling thread: call it before the stage is set, so that browsers reach it.
    /// - Parameter token: what every request must carry; nil for none, on loopback only.
    /// - Throws: ``Problem``
    package init(_ text: String, token: AccessToken?) throws(Problem) {
        guard let address = SocketAddress(text: text), address.port != nil else {
            throw Problem(description: "'\(text)' is not HOST:PORT with a numeric IPv4 address, as in 127.0.0.1:9000")
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
    /// - Throws: ``StageError``
    func open() throws(StageError) {
        do throws(SystemCallError) {
            try server.start()
        } catch {
            throw StageError("the live page cannot be served: \(error)")
        }
    }

    /// Tells the result to those who watch, and stops answering.
    func close(_ result: RunResult?) {
        run.end(result)
        _ = server.drain(timeout: .seconds(2))
    }
}
