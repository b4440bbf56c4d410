internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// What a lane does where no more connections may be open: its operations wait, and the lane goes on with others.
extension Lane {
    func wait(_ operation: Operation, ticket: Int, since now: MonotonicInstant) {
        operation.phase = .waiting(ticket: ticket)
        // Lanes have claimed some lookups of a batch before they begin them.
        if operation.slice.batch.isCancelled, cancel(operation, ticket) { return }
        deadlines.set(operation.slot, at: now + settings.openWait)
    }

    /// It is an operation's turn. No turn finds it gone: it leaves the line before it ends, or waits for its turn to come.
    func take(_ turn: ConnectionTurn) {
        guard let token = OperationToken(turn.token), let operation = operation(token), case .waiting = operation.phase
        else {
            preconditionFailure("a turn came for an operation that waits for none")
        }
        refreshSettings()
        let now = MonotonicInstant.now
        operation.phase = .starting
        guard let connection = turn.connection else {
            return dial(operation, to: turn.server, context.pool.slot(of: turn), at: now)
        }
        if isQuiet(connection) {
            send(operation, over: connection, at: now)
        } else {
            send(operation, at: now)
        }
    }

    /// Puts a connection back, and sees to who has waited for it, or to its end.
    func putBack(_ connection: Connection) -> ConnectionTurn? {
        switch context.pool.put(connection) {
        case .idle: break
        case .surplus: close(connection)
        case .handed(let delivery):
            if delivery.user === self { return delivery.turn }
            delivery.user.receive(delivery.turn)
        }
        return nil
    }

    /// No connection became free in time.
    func giveUpWaiting(_ operation: Operation, _ ticket: Int) {
        let server = server(of: operation)
        // One did at the last moment, and is on its way here.
        guard context.pool.leave(ticket, server: server) else { return }
        let address = context.servers.addresses[server]
        fail(operation, .noConnection(within: settings.openWait, server: address, maxOpen: settings.maxOpen))
    }

    /// Nobody waits any more for the lookups of a slice that wait for a connection; nothing has been sent for them. What
    /// is to be set back is.
    func cancelWaiting(of slice: BatchSlice) {
        guard slice.slot != nil, context.pool.waitingCount > 0 else { return }
        for (operation, ticket) in waiting(of: slice) { _ = cancel(operation, ticket) }
    }

    /// - Returns: false where it is no lookup, or its connection is on its way here.
    private func cancel(_ operation: Operation, _ ticket: Int) -> Bool {
        guard case .get = operation.work, context.pool.leave(ticket, server: server(of: operation)) else {
            return false
        }
        let slice = operation.slice!
        let error = slice.batch.cancellation
        let keys = operation.unanswered.map { slice.batch.keyIndex(at: $0) }
        slice.unflushed.inFlight -= keys.count
        context.counters.errors.add(keys.count, for: .init(error))
        slice.batch.account.fail(error.name, count: keys.count)
        for key in keys { slice.finish(key, .failed(error)) }
        end(operation)
        return true
    }
}
