internal import Glibc
internal import POSIX
internal import Synchronization

/// Dials as most programs do: no address bound, no option set, closed when done. To the kernel it is another program
/// than the server, in the same network.
final class OtherProgram: Sendable {
    /// Between two dials.
    private static let interval = Duration.milliseconds(20)
    /// A service that has nothing to do with memcached.
    private static let elsewhere = SocketAddress.ipv4(.loopback, port: 7007)

    private struct State {
        var isOver = false
        var hasEnded = false
        var dials = CureMeasurement.Others()
    }

    private let memcached: SocketAddress?
    private let state = Mutex(State())

    /// Starts dialling from the calling thread's network namespace.
    /// - Parameter memcached: nil where it does not listen on TCP.
    /// - Throws: ``SystemCallError``
    init(memcached: SocketAddress?) throws(SystemCallError) {
        self.memcached = memcached
        let listener = try Socket.listening(on: Self.elsewhere, backlog: 128)
        let held = Mutex<Socket?>(listener)
        try Thread(name: "other-program") { [self] in
            if let listener = held.withLock({ $0.take() }) { run(listener) }
            state.withLock { $0.hasEnded = true }
        }.detach()
    }

    /// Ends it.
    /// - Returns: what became of its dials.
    func end() -> CureMeasurement.Others {
        state.withLock { $0.isOver = true }
        while !state.withLock({ $0.hasEnded }) { sleepThread(for: .milliseconds(1)) }
        return state.withLock { $0.dials }
    }

    private func run(_ listener: borrowing Socket) {
        var number = 0
        while !state.withLock({ $0.isOver }) {
            let toMemcached = number % 2 == 0
            number += 1
            if let target = toMemcached ? memcached : Self.elsewhere {
                dial(target, \.[isToMemcached: toMemcached])
                // Taken over and dropped, so that the queue never fills.
                while let accepted = try? listener.accept() { _ = consume accepted }
            }
            sleepThread(for: Self.interval)
        }
    }

    private func dial(
        _ target: SocketAddress,
        _ count: any WritableKeyPath<CureMeasurement.Others, CureMeasurement.Others.Count> & Sendable
    ) {
        do {
            let socket = try Socket.connected(to: target, timeout: .seconds(1))
            socket.finishSending()
            state.withLock { state in
                state.dials.ok += 1
                state.dials[keyPath: count].ok += 1
            }
        } catch {
            let name = "\(error.call) \(error.name)"
            state.withLock { state in
                state.dials.failed += 1
                state.dials.errors[name, default: 0] += 1
                state.dials[keyPath: count].failed += 1
            }
        }
    }
}

extension CureMeasurement.Others {
    fileprivate subscript(isToMemcached isToMemcached: Bool) -> Count {
        get { isToMemcached ? toMemcached : elsewhere }
        set { if isToMemcached { toMemcached = newValue } else { elsewhere = newValue } }
    }
}
