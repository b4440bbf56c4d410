internal import HTTP
internal import HTTPTypes
package import KernelProbe
package import POSIX
package import PostRecords

/// A spiral-server of the run's own, and the connection it is controlled through.
package final class ServerProcess {
    package let address: SocketAddress
    package let adminAddress: SocketAddress
    private var process: ChildProcess
    private var admin: Client?

    package var identifier: Int32 { process.identifier }

    /// The control connection comes from an address of its own: when the dialer has taken every port
    /// of its address, or the kernel's choice is blocked, the run must still be able to change settings.
    private static let controlSource = IPv4Address(value: 0x7f00_0202)

    /// Starts the server and waits until it serves.
    /// - Parameter arguments: beyond the addresses.
    /// - Throws: ``StageError``
    package init(
        address: SocketAddress,
        adminAddress: SocketAddress,
        memcached: SocketAddress,
        _ arguments: [String],
        in folder: RunFolder
    ) throws(StageError) {
        self.address = address
        self.adminAddress = adminAddress
        let path = try Executables.sibling("spiral-server")
        do {
            let output = try Descriptor.creating(folder.path + "/server.log")
            process = try ChildProcess(
                path,
                ["--listen", "\(address)", "--admin-listen", "\(adminAddress)", "--memcached", "\(memcached)"]
                    + arguments,
                output: output.rawValue
            )
        } catch {
            throw StageError("spiral-server cannot be started: \(error)")
        }
        let deadline = MonotonicInstant.now + .seconds(10)
        while true {
            if let exit = process.poll() {
                throw StageError("spiral-server ended at once (\(exit)): \(folder.tail("server.log"))")
            }
            if (try? call(.get, "/healthz")) != nil { return }
            guard MonotonicInstant.now < deadline else { throw StageError("spiral-server does not answer") }
            sleepThread(for: .milliseconds(10))
        }
    }

    /// Changes settings while it runs.
    /// - Throws: ``StageError``
    package func change(_ changes: [(name: String, text: String)]) throws(StageError) {
        _ = try call(.patch, "/admin/settings", body: JSONText.encode(SettingsDocument(changes)))
    }

    /// What it counted; peaks start over.
    /// - Throws: ``StageError``
    package func counters(takePeaks: Bool) throws(StageError) -> CounterSnapshot {
        let body = try call(takePeaks ? .post : .get, "/admin/counters")
        guard let snapshot = try? JSONText.decode(CounterSnapshot.self, from: body) else {
            throw StageError("spiral-server's counters cannot be read")
        }
        return snapshot
    }

    /// Threads and memory as the kernel has them, or nil when it is gone.
    package var status: ProcessStatus? { try? ProcessStatus.read(process.identifier) }

    package func poll() -> ProcessExit? { process.poll() }

    package func send(_ signal: CInt) { process.send(signal) }

    package func terminate() { process.terminate(patience: .seconds(2)) }

    @discardableResult
    private func call(
        _ method: HTTPRequest.Method,
        _ path: String,
        body: [UInt8] = []
    ) throws(StageError) -> [UInt8] {
        do {
            var client: Client
            if let kept = admin.take(), kept.isReusable {
                client = kept
            } else {
                client = try Client(to: adminAddress, from: Self.controlSource, timeout: .seconds(10))
            }
            let answer = try client.send(method, path, body: body)
            admin = consume client
            guard answer.status == 200 else {
                throw StageError("spiral-server refused \(path): \(String(decoding: answer.body, as: UTF8.self))")
            }
            return answer.body
        } catch let error as StageError {
            throw error
        } catch {
            throw StageError("spiral-server does not answer \(path): \(error)")
        }
    }
}
