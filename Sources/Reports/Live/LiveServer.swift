internal import HTTP
internal import POSIX
package import PostRecords
package import Results
package import Scenarios

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
    package init(_ text: String, token: String?) throws(Problem) {
        guard let address = SocketAddress(text: text), address.port != nil else {
            throw Problem(description: "'\(text)' is not HOST:PORT with a numeric IPv4 address, as in 127.0.0.1:9000")
        }
        guard address.isLoopback || token != nil else {
            throw Problem(
                description: "\(address) is not loopback, and whoever reaches it could change settings; "
                    + "add --live-token, or use 127.0.0.1"
            )
        }
        guard token.map(Self.isToken) ?? true else {
            throw Problem(description: "a token has 8 or more letters, digits, '-', '.', '_' or '~'")
        }
        do {
            server = try Server(
                listeningOn: address,
                largestBody: 64 << 10,
                responder: LivePage(run: run, token: token)
            )
        } catch {
            throw Problem(description: "cannot \(error)")
        }
        self.address = server.address
    }

    /// Long enough, and of characters that stand for themselves in an address.
    private static func isToken(_ text: String) -> Bool {
        text.utf8.count >= 8
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }

    /// Where a browser finds it.
    package var link: String { "http://\(address)/" }

    /// Begins to answer. Threads are started: not before a user namespace has been entered.
    package func began(_ result: RunResult) {
        server.start()
        run.began(result)
    }

    package func settingsChanged(_ settings: SettingsDocument, in position: PhasePosition) {
        run.settingsChanged(settings, in: position)
    }

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
