internal import Memcached
internal import POSIX
internal import Telemetry

/// How a lane sends: over a pooled connection, or over one it dials.
extension Lane {
    func startGet(of unit: Batch.Unit, for slice: BatchSlice, at now: MonotonicInstant) {
        slice.unflushed.inFlight += unit.positions.count
        send(begin(slice, .get(unit)), at: now)
        guard slice.markIssued() else { return }
        if !slice.postponed.isEmpty { collectable.append(slice) }
        // Lanes that were done earlier wait for this one before they collect.
        if slice.batch.permits == nil { noteOnOtherLanes(slice) }
    }

    func startRead(of key: Int, for slice: BatchSlice, at now: MonotonicInstant) {
        let operation = begin(slice, .read(key: key))
        let answered = context.store!.schedule(at: now)
        if answered > now {
            deadlines.set(operation.slot, at: answered)
        } else {
            startSet(operation, at: now)
        }
    }

    /// The store has answered: sets the record back, as the incident's service did.
    func startSet(_ operation: Operation, at now: MonotonicInstant) {
        guard case .read(let key) = operation.work else { return }
        operation.work = .set(key: key, value: context.store!.value(for: operation.slice.batch.keys.text(key)))
        send(operation, at: now)
    }

    /// Sends what an operation asks for: over a connection that is idle, over a new one, or once it is its turn to have one.
    func send(_ operation: Operation, at now: MonotonicInstant) {
        refreshSettings()
        let server = server(of: operation)
        while true {
            switch context.pool.take(server: server, owner: index, for: self, token: operation.token.rawValue) {
            case .idle(let connection):
                guard isQuiet(connection) else { continue }
                return send(operation, over: connection, at: now)
            case .dial(let slot): return dial(operation, to: server, slot, at: now)
            case .wait(let ticket): return wait(operation, ticket: ticket, since: now)
            }
        }
    }

    /// From here on the operation has its timeout.
    private func beginExchange(_ operation: Operation, at now: MonotonicInstant) {
        operation.issued = now
        let deadline = now + settings.lookupTimeout
        operation.deadline = deadline
        deadlines.set(operation.slot, at: deadline)
    }

    func send(_ operation: Operation, over connection: Connection, at now: MonotonicInstant) {
        beginExchange(operation, at: now)
        let code = connection.withoutDialling { scratch.send(operation, on: $0) }
        if code == .success {
            awaitReply(operation, connection)
        } else {
            let address = context.servers.addresses[connection.server]
            fail(operation, MemcachedError(.send, code: code, errno: connection.handle.lastErrno, server: address))
        }
    }

    func dial(_ operation: Operation, to server: Int, _ slot: consuming ConnectionSlot, at now: MonotonicInstant) {
        beginExchange(operation, at: now)
        let dial = Dial(
            server: server,
            address: context.servers.addresses[server],
            dialer: settings.dialer,
            lateBind: settings.lateBind,
            options: settings.socketOptions,
            using: &random
        )
        let result = dial.start(slot: slot, copying: templates[server].handle) { scratch.send(operation, on: $0) }
        settle(operation, dial, result)
    }

    /// Whether nothing has come on a connection since its last reply: that would be read as the answer to what is asked
    /// next. One that has only ended is found out by asking on it, as gomemcache does.
    func isQuiet(_ connection: Connection) -> Bool {
        // The poller tells of what comes on a connection it watches; others have to be looked at.
        let isUndisturbed = connection.owner == index && !users.wasDisturbed(connection)
        return isUndisturbed || connection.arrived != .bytes
    }

    /// The accept queue had room again: finishes the dial and sends the request.
    func continueDial(_ operation: Operation, _ pending: PendingDial) {
        try? poller.remove(pending.rawDescriptor)
        let slot = pending.takeSlot()
        let result = pending.dial.resume(pending.take(), slot: slot, copying: templates[pending.dial.server].handle) {
            scratch.send(operation, on: $0)
        }
        settle(operation, pending.dial, result)
    }

    private func settle(_ operation: Operation, _ dial: Dial, _ result: consuming DialResult) {
        switch consume result {
        case .connected(let connection):
            context.counters.dials.add(for: dial.dialer)
            awaitReply(operation, connection)
        case .pending(let descriptor, let slot):
            let pending = PendingDial(dial, descriptor, slot)
            do {
                try poller.add(pending.rawDescriptor, .writable, token: operation.token.rawValue)
                operation.phase = .dialling(pending)
            } catch {
                fail(operation, MemcachedError(.socket, errno: error.errno, server: dial.address))
            }
        case .failed(let error):
            failDial(operation, dial, error)
        }
    }

    /// Waits for the reply on a connection.
    private func awaitReply(_ operation: Operation, _ connection: Connection) {
        if operation.slice.defersReplies, connection.owner != index, connection.unsent.isEmpty {
            operation.phase = .awaiting(connection)
            // Looked for once the batch is issued whole: it is there by then, or nearly so, and most connections of
            // such a batch are closed without a poller having heard of them.
            operation.slice.postponed.append(operation.token)
        } else {
            watch(operation, connection)
        }
    }

    /// Has the poller tell when something arrives on a connection, or there is room for the rest of its request.
    /// - Parameter unread: whether there may be something already, which the poller has told of before.
    func watch(_ operation: Operation, _ connection: Connection, unread: Bool = false) {
        let interest: Poller.Interest = connection.unsent.isEmpty ? .readable : .both
        do {
            if connection.owner != index {
                if let lane = connection.owner { try lanes[lane].poller.remove(connection.descriptor) }
                try poller.add(connection.descriptor, interest, token: ConnectionUsers.token(of: connection))
                connection.owner = index
            } else if unread || interest == .both {
                try poller.rearm(connection.descriptor, interest, token: ConnectionUsers.token(of: connection))
            }
            users.set(operation, for: connection)
            operation.phase = .awaiting(connection)
        } catch {
            let address = context.servers.addresses[connection.server]
            fail(operation, MemcachedError(.socket, errno: error.errno, server: address))
        }
    }

    func server(of operation: Operation) -> Int {
        switch operation.work {
        case .get(let unit): unit.server
        case .read(let key), .set(let key, _): operation.slice.batch.server(ofKey: key)
        }
    }
}
