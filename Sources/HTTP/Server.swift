package import POSIX
internal import Units

/// An HTTP/1.1 server on one listening socket, with a thread of its own for all its connections.
package final class Server: Sendable {
    private let loop: ServerLoop
    private let runner: any RequestRunner
    private let name: String
    /// Whether its thread runs before others: whoever asks how a busy process does is to be told.
    private let comesFirst: Bool

    /// Where it listens; the kernel's choice when port 0 was asked for.
    package let address: SocketAddress

    /// Listens; connections wait in the accept queue until ``start()``. Answers on Swift's pool of threads.
    /// - Parameters:
    ///   - held: counts the bytes of requests and answers, and bounds them.
    ///   - counters: count its connections.
    /// - Throws: ``SystemCallError``, EADDRINUSE when the port is taken.
    package convenience init(
        listeningOn address: SocketAddress,
        bounds: ServerBounds,
        held: Allowance = Allowance(limit: nil),
        counters: ServerCounters = ServerCounters(),
        responder: any Responder
    ) throws(SystemCallError) {
        try self.init(
            address,
            bounds,
            held,
            counters,
            PoolRunner(responder: responder),
            name: "http",
            comesFirst: false
        )
    }

    /// As above; answers on a thread of its own.
    package convenience init(
        listeningOn address: SocketAddress,
        bounds: ServerBounds,
        held: Allowance = Allowance(limit: nil),
        counters: ServerCounters = ServerCounters(),
        threadResponder: any ThreadResponder
    ) throws(SystemCallError) {
        try self.init(
            address,
            bounds,
            held,
            counters,
            ThreadRunner(threadResponder),
            name: "http-apart",
            comesFirst: true
        )
    }

    private init(
        _ address: SocketAddress,
        _ bounds: ServerBounds,
        _ held: Allowance,
        _ counters: ServerCounters,
        _ runner: any RequestRunner,
        name: String,
        comesFirst: Bool
    ) throws(SystemCallError) {
        let listener = try Socket.listening(on: address, backlog: 4096)
        self.address = try listener.localAddress()
        self.runner = runner
        self.name = name
        self.comesFirst = comesFirst
        loop = try ServerLoop(listener, bounds, runner, held: held, counters: counters)
    }

    deinit {
        loop.stop()
    }

    /// Starts its threads.
    /// - Throws: ``SystemCallError`` when one cannot be made.
    package func start() throws(SystemCallError) {
        try runner.begin()
        try Thread(name: name) { [loop, comesFirst] in
            if comesFirst { Thread.comeFirst() }
            loop.run()
        }.detach()
    }

    package var connectionCount: Int { loop.connectionCount }

    /// Stops accepting, lets requests under way finish, and closes the rest. It serves no more afterwards.
    /// - Returns: whether all were done within `timeout`; those that were not are cut off.
    package func drain(timeout: Duration) -> Bool {
        loop.drain()
        let deadline = MonotonicInstant.now + timeout
        while connectionCount > 0, MonotonicInstant.now < deadline { sleepThread(for: .milliseconds(5)) }
        let areDone = connectionCount == 0
        loop.stop()
        return areDone
    }
}
