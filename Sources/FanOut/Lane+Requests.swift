internal import Memcached
internal import POSIX
internal import Telemetry

/// How a lane sends: over a pooled connection, or over one it dials.
extension Lane {
    func startGet(of unit: Batch.Unit, for share: Share) {
        context.counters.inFlight.increment(by: unit.positions.count)
        send(open(share, .get(unit)))
        // Lanes that were done earlier wait for this one before they collect.
        if share.batch.markIssued(), share.batch.lanes > 1 { wakeOthers() }
    }

    func startRead(of key: Int, for share: Share) {
        let token = open(share, .read(key: key))
        let now = MonotonicInstant.now
        let answered = context.store!.schedule(at: now)
        if answered > now {
            deadlines.add(token, at: answered)
        } else {
            startSet(token)
        }
    }

    /// The store has answered: sets the record back, as the incident's service did.
    func startSet(_ token: UInt64) {
        guard let operation = operation(token), case .read(let key) = operation.work else { return }
        let value = context.store!.value(for: operation.share.batch.keys.text(key))
        update(token) { $0.work = .set(key: key, value: value) }
        send(token)
    }

    private func send(_ token: UInt64) {
        guard let operation = operation(token) else { return }
        refreshSettings()
        let batch = operation.share.batch
        deadlines.add(token, at: .now + settings.lookupTimeout)
        let server = server(of: operation)
        if let connection = context.pool.take(server: server) {
            let code = connection.withoutDialling { scratch.send(operation.work, of: batch, on: $0) }
            if code == .success {
                watch(token, connection)
            } else {
                let address = context.servers.addresses[server]
                fail(token, MemcachedError(.send, code: code, errno: connection.handle.lastErrno, server: address))
            }
            return
        }
        let dial = Dial(
            server: server,
            address: context.servers.addresses[server],
            dialer: settings.dialer,
            lateBind: settings.lateBind
        )
        let result = dial.start(copying: templates[server].handle) { scratch.send(operation.work, of: batch, on: $0) }
        settle(token, dial, result)
    }

    /// The accept queue had room again: finishes the dial and sends the request.
    func continueDial(_ token: UInt64, _ pending: PendingDial) {
        guard let operation = operation(token) else { return }
        let batch = operation.share.batch
        try? poller.remove(pending.rawDescriptor)
        let result = pending.dial.resume(pending.take(), copying: templates[pending.dial.server].handle) {
            scratch.send(operation.work, of: batch, on: $0)
        }
        settle(token, pending.dial, result)
    }

    private func settle(_ token: UInt64, _ dial: Dial, _ result: consuming DialResult) {
        switch consume result {
        case .connected(let connection):
            context.counters.dials.add()
            watch(token, connection)
        case .pending(let descriptor):
            let pending = PendingDial(dial, descriptor)
            do {
                try poller.add(pending.rawDescriptor, .writable, token: token | Self.dialMark)
                update(token) { $0.phase = .dialling(pending) }
            } catch {
                fail(token, MemcachedError(.socket, errno: error.errno, server: dial.address))
            }
        case .failed(let error):
            failDial(token, error)
        }
    }

    private func watch(_ token: UInt64, _ connection: Connection) {
        do {
            if connection.lane != index {
                if let lane = connection.lane { try lanes[lane].poller.remove(connection.descriptor) }
                try poller.add(connection.descriptor, .readable, token: connection.identifier)
                connection.lane = index
            }
            users[connection.identifier] = token
            update(token) { $0.phase = .awaiting(connection) }
        } catch {
            let address = context.servers.addresses[connection.server]
            fail(token, MemcachedError(.socket, errno: error.errno, server: address))
        }
    }

    private func server(of operation: Operation) -> Int {
        switch operation.work {
        case .get(let unit): unit.server
        case .read(let key), .set(let key, _): operation.share.batch.server(ofKey: key)
        }
    }
}
