internal import Glibc
internal import HTTPTypes
internal import POSIX
internal import Synchronization

/// The thread of a server: accepts connections, reads requests, and writes answers, without ever waiting for one client.
///
/// Unchecked: `inbox` and `poller` are safe from any thread; all else that changes belongs to the loop's own thread.
final class ServerLoop: @unchecked Sendable {
    enum Message: Sendable {
        case answer(Response)
        case piece([UInt8], CheckedContinuation<Bool, Never>)
        case close
    }

    private struct Inbox {
        var messages: [(token: ServerConnection.Token, message: Message)] = []
        var isDraining = false
        var isStopping = false
        /// Nobody reads it any more.
        var isOver = false
    }

    private static let listenerToken = UInt64.max - 1
    /// Connections beyond the bound that are told so with some care; further ones are told and closed at once.
    private static let maxTurnedAway = 64
    /// When to look for descriptors again.
    private static let acceptPause = Duration.milliseconds(10)

    private let listener: Socket
    private let bounds: ServerBounds
    let runner: any RequestRunner
    let held: Allowance
    private let counters: ServerCounters
    private let poller: Poller
    private let inbox = Mutex(Inbox())
    private let openConnections = Atomic<Int>(0)

    private var slots: [ServerConnection?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private var turnedAway = 0
    /// Connections whose turn to be read was over before they were empty.
    var unread: [ServerConnection.Token] = []
    private var nextSweep: MonotonicInstant?
    private var acceptAgain: MonotonicInstant?
    private var isAccepting = true
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

    /// - Throws: ``SystemCallError`` when its poller cannot be made.
    init(
        _ listener: consuming Socket,
        _ bounds: ServerBounds,
        _ runner: any RequestRunner,
        held: Allowance,
        counters: ServerCounters
    ) throws(SystemCallError) {
        let poller = try Poller()
        try poller.add(listener.rawValue, .readable, token: Self.listenerToken)
        self.listener = listener
        self.bounds = bounds
        self.runner = runner
        self.held = held
        self.counters = counters
        self.poller = poller
    }

    deinit {
        buffer.deallocate()
    }

    // MARK: From other threads

    /// Connections that are open, but for those that are turned away.
    var connectionCount: Int { openConnections.load(ordering: .acquiring) }

    /// - Returns: false when the loop has ended.
    @discardableResult
    func post(_ message: Message, to token: ServerConnection.Token) -> Bool {
        let (isTaken, isFirst) = inbox.withLock { inbox in
            guard !inbox.isOver else { return (false, false) }
            inbox.messages.append((token, message))
            return (true, inbox.messages.count == 1)
        }
        if isFirst { poller.wake() }
        return isTaken
    }

    /// Accepts no more, and closes connections as their answers are out.
    func drain() {
        inbox.withLock { $0.isDraining = true }
        poller.wake()
    }

    /// Closes all connections and ends the thread.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        poller.wake()
    }

    // MARK: The loop's thread

    func run() {
        while true {
            let arrived = inbox.withLock { inbox in
                defer {
                    inbox.messages = []
                    inbox.isOver = inbox.isStopping
                }
                return inbox
            }
            if arrived.isDraining || arrived.isStopping, isAccepting { drainAll() }
            for (token, message) in arrived.messages { take(message, for: token) }
            if arrived.isStopping {
                for case let connection? in slots { close(connection) }
                runner.stop()
                return
            }
            let soonest = [nextSweep, acceptAgain].compactMap(\.self).min()
            poller.wait(until: unread.isEmpty ? soonest : .now) { react(to: $0) }
            let tokens = unread
            unread.removeAll(keepingCapacity: true)
            for token in tokens {
                if let connection = self[token] { read(connection) }
            }
            let now = MonotonicInstant.now
            if let acceptAgain, acceptAgain <= now { accept() }
            if let nextSweep, nextSweep <= now { sweep(at: now) }
        }
    }

    private func react(to event: Poller.Event) {
        if event.token == Self.listenerToken { return accept() }
        guard let connection = self[ServerConnection.Token(event.token)] else { return }
        let now = MonotonicInstant.now
        if event.isBroken, let ending = connection.state.broken() { return end(connection, ending) }
        connection.isReadable = true
        connection.hasEnded = connection.hasEnded || event.isEnded
        if connection.state.wantsBytes {
            read(connection)
        } else if event.isEnded, let ending = connection.state.finished(at: now) {
            end(connection, ending)
        } else {
            write(connection)
        }
    }

    private subscript(_ token: ServerConnection.Token) -> ServerConnection? {
        guard token.slot < slots.count, let connection = slots[Int(token.slot)], connection.token == token else {
            return nil
        }
        return connection
    }

    private func take(_ message: Message, for token: ServerConnection.Token) {
        guard let connection = self[token] else {
            if case .piece(_, let continuation) = message { continuation.resume(returning: false) }
            return
        }
        switch message {
        case .answer(let response):
            connection.cancel = nil
            if begin(response, on: connection) { advance(connection) }
            read(connection)
        case .piece(let piece, let continuation):
            guard connection.state.piece(at: .now) else { return continuation.resume(returning: false) }
            connection.pieceIsWritten = continuation
            connection.outgoing.append(piece)
            noteDeadline(of: connection)
            write(connection)
        case .close: close(connection)
        }
    }

    // MARK: Accepting

    private func accept() {
        acceptAgain = nil
        while isAccepting {
            do throws(SystemCallError) {
                // The accept queue keeps the clients meanwhile.
                guard !DescriptorLimit.leavesLess(than: bounds.reservedDescriptors, probing: listener.rawValue) else {
                    acceptAgain = .now + Self.acceptPause
                    return
                }
                guard let socket = try listener.accept() else { return }
                open(socket)
            } catch {
                // ECONNABORTED is one client's business. Without descriptors (EMFILE) the queue keeps the clients: pause,
                // or this spins while lookups need the CPU.
                guard error.errno == ECONNABORTED else {
                    acceptAgain = .now + Self.acceptPause
                    return
                }
            }
        }
    }

    private func open(_ socket: consuming Socket) {
        let now = MonotonicInstant.now
        if bounds.dismissesIdle, connectionCount >= bounds.connections { dismissIdlest() }
        let isTurnedAway = connectionCount >= bounds.connections
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count {
            slots.append(nil)
            generations.append(0)
        }
        generations[slot] &+= 1
        let connection = ServerConnection(
            socket,
            token: .init(slot: slot, generation: generations[slot]),
            isTurnedAway: isTurnedAway,
            ConnectionState(bounds, at: now)
        )
        slots[slot] = connection
        if isTurnedAway {
            turnedAway += 1
            counters.turnAway()
        } else {
            openConnections.add(1, ordering: .releasing)
            counters.opened()
        }
        do throws(SystemCallError) {
            try poller.add(connection.socket.rawValue, .both, token: connection.token.rawValue)
        } catch {
            return close(connection)
        }
        noteDeadline(of: connection)
        if isTurnedAway { turnAway(connection, at: now) }
    }

    /// Closes the connection that has waited longest for its client, one with which little is lost before others.
    private func dismissIdlest() {
        var idlest: (connection: ServerConnection, wait: (loss: Int, until: MonotonicInstant))?
        for case let connection? in slots where !connection.isTurnedAway {
            guard let wait = connection.state.wait else { continue }
            if let idlest, idlest.wait < wait { continue }
            idlest = (connection, wait)
        }
        if let idlest { close(idlest.connection) }
    }

    private func turnAway(_ connection: ServerConnection, at now: MonotonicInstant) {
        let error = RequestError(
            .serviceUnavailable,
            "there are \(bounds.connections) connections already; try again later"
        )
        connection.state.beginRefusal(at: now)
        _ = begin(refusal(of: error, on: connection), on: connection)
        read(connection)
        if turnedAway > Self.maxTurnedAway { close(connection) }
    }

    // MARK: Endings

    func end(_ connection: ServerConnection, _ ending: ConnectionState.Ending) {
        switch ending {
        case .close, .cutOff: close(connection)
        case .refuse(let error):
            _ = begin(refusal(of: error, on: connection), on: connection)
            read(connection)
        case .abandon:
            counters.abandon()
            connection.cancel?()
            close(connection)
        }
    }

    func noteDeadline(of connection: ServerConnection) {
        guard let deadline = connection.state.deadline else { return }
        nextSweep = min(nextSweep ?? deadline, deadline)
    }

    private func sweep(at now: MonotonicInstant) {
        nextSweep = nil
        for case let connection? in slots {
            if let ending = connection.state.expire(at: now) {
                if case .close = ending {} else { counters.timeOut() }
                end(connection, ending)
            }
            noteDeadline(of: connection)
        }
    }

    private func drainAll() {
        isAccepting = false
        try? poller.remove(listener.rawValue)
        for case let connection? in slots where connection.state.drain() { close(connection) }
    }

    func close(_ connection: ServerConnection) {
        let slot = Int(connection.token.slot)
        guard slots[slot] === connection else { return }
        slots[slot] = nil
        freeSlots.append(slot)
        connection.state.close()
        connection.pump?.cancel()
        connection.pieceIsWritten.take()?.resume(returning: false)
        held.giveBack(connection.heldBytes)
        connection.heldBytes = 0
        if connection.isTurnedAway {
            turnedAway -= 1
        } else {
            openConnections.subtract(1, ordering: .releasing)
            counters.closed()
        }
    }
}
