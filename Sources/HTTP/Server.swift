internal import Dispatch
internal import Glibc
package import POSIX
internal import Synchronization

/// An HTTP/1.1 server on one listening socket.
package final class Server: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var acceptSource: (any DispatchSourceRead)?
    }

    /// Descriptors left for others: a process that accepts with its last one cannot write its log any more, and
    /// libdispatch ends one in which it cannot read /proc.
    private static let reservedDescriptors = 16

    private let listener: Socket
    private let responder: any Responder
    private let largestBody: Int
    private let queue = DispatchQueue(label: "spiral.http.accept", target: .global())
    // Unchecked only for the dispatch source inside, which is itself safe to cancel from any thread.
    private struct Guarded: @unchecked Sendable {
        var state = State()
    }
    private let guarded = Mutex(Guarded())

    /// Where it listens; the kernel's choice when port 0 was asked for.
    package let address: SocketAddress

    /// Listens; connections wait in the accept queue until ``start()``.
    /// - Parameter largestBody: bytes; larger bodies are answered with 413.
    /// - Throws: ``SystemCallError``, EADDRINUSE when the port is taken.
    package init(
        listeningOn address: SocketAddress,
        largestBody: Int,
        responder: any Responder
    ) throws(SystemCallError) {
        listener = try Socket.listening(on: address, backlog: 4096)
        self.address = try listener.localAddress()
        self.largestBody = largestBody
        self.responder = responder
    }

    package func start() {
        let source = DispatchSource.makeReadSource(fileDescriptor: listener.rawValue, queue: queue)
        source.setEventHandler { [self] in acceptWaiting() }
        source.setCancelHandler { [self] in _ = self }
        guarded.withLock { $0.state.acceptSource = source }
        source.resume()
    }

    private func acceptWaiting() {
        while true {
            do {
                // The accept queue keeps the clients meanwhile.
                guard !DescriptorLimit.leavesLess(than: Self.reservedDescriptors, probing: listener.rawValue) else {
                    return sleepThread(for: .milliseconds(10))
                }
                guard let socket = try listener.accept() else { return }
                let connection = ServerConnection(socket, largestBody: largestBody, responder: responder) {
                    [weak self] connection in
                    self?.guarded.withLock {
                        _ = $0.state.connections.removeValue(forKey: ObjectIdentifier(connection))
                    }
                }
                guarded.withLock { $0.state.connections[ObjectIdentifier(connection)] = connection }
                connection.start()
            } catch {
                // ECONNABORTED is one client's business. Without descriptors (EMFILE) the queue
                // keeps the clients: pause, or this spins while lookups need the CPU.
                if error.errno != ECONNABORTED { sleepThread(for: .milliseconds(10)) }
                return
            }
        }
    }

    package var connectionCount: Int { guarded.withLock { $0.state.connections.count } }

    /// Stops accepting, lets requests under way finish, and closes the rest.
    /// - Returns: whether all were done within `timeout`; those that were not are cut off.
    package func drain(timeout: Duration) -> Bool {
        let connections = guarded.withLock { guarded in
            guarded.state.acceptSource?.cancel()
            return Array(guarded.state.connections.values)
        }
        for connection in connections { connection.drain() }
        let deadline = MonotonicInstant.now + timeout
        while connectionCount > 0, MonotonicInstant.now < deadline { sleepThread(for: .milliseconds(5)) }
        let left = guarded.withLock { Array($0.state.connections.values) }
        for connection in left { connection.abort() }
        return left.isEmpty
    }
}
