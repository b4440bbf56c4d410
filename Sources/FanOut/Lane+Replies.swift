internal import Glibc
internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// How a lane collects: a reply, or the reason there is none.
extension Lane {
    /// Sends what is left of a request, reads what has arrived of its reply, and ends the operation if that is all of it,
    /// or none.
    func collect(_ operation: Operation, _ connection: Connection) {
        let sending = connection.sendRest()
        let slice = operation.slice!
        let batch = slice.batch
        let positions = operation.positions
        var reply = operation.partial?.reply ?? IncomingReply(to: operation.request)
        operation.partial = nil
        var hits = 0
        var unreadable: [Int] = []
        var unkept: [Int] = []
        let arrival = connection.receive(&reply, into: received) { position in
            UnsafeRawBufferPointer(batch.keys[batch.keyIndex(at: positions[position])])
        } give: { position, value in
            let key = batch.keyIndex(at: positions[position])
            guard context.isReadable(value.bytes) else { return unreadable.append(key) }
            guard batch.takesRoom(forValue: value.bytes.count) else { return unkept.append(key) }
            hits += 1
            batch.set(.hit(Array(value.bytes)), of: key)
        }
        slice.unflushed.hits += hits
        slice.unflushed.finished += hits
        slice.unflushed.inFlight -= hits
        let server = context.servers.addresses[connection.server]
        if !unreadable.isEmpty { settleUnreadable(unreadable, slice) }
        if !unkept.isEmpty { settleUnkept(unkept, slice, server) }
        if case .complete = arrival { return finish(operation, connection, reply) }
        let partial = PartialReply(reply, of: batch)
        operation.partial = partial
        switch arrival {
        case .partial where !partial.hasRoom, .moreToRead where !partial.hasRoom:
            fail(operation, MemcachedError(.receive, errno: ENOBUFS, server: server))
        // Who does not read all that is asked may say why; here nothing was said.
        case .partial where sending != 0, .closed where sending != 0:
            fail(operation, MemcachedError(.send, errno: sending, server: server))
        // Nobody said that it had come, it came in part, or the end of an earlier reply was reported late.
        case .partial: wait(operation, connection, unread: false)
        case .moreToRead: wait(operation, connection, unread: true)
        case .broken(let fault):
            fail(operation, MemcachedError(.reply, code: fault.code, server: server, detail: fault.text))
        case .closed:
            fail(operation, MemcachedError(.receive, code: .connectionFailure, server: server, detail: "EOF"))
        case .failed(let errno): fail(operation, MemcachedError(.receive, errno: errno, server: server))
        case .complete: break
        }
    }

    /// A reply is not whole: waits for the rest, if there is time.
    private func wait(_ operation: Operation, _ connection: Connection, unread: Bool) {
        if MonotonicInstant.now < operation.deadline {
            watch(operation, connection, unread: unread)
        } else {
            timeOut(operation, connection)
        }
    }

    /// memcached had values that are no records. Nobody waits for these lines: their reply is well.
    private func settleUnreadable(_ keys: [Int], _ slice: BatchSlice) {
        let batch = slice.batch
        context.counters.unreadable.add(keys.count)
        batch.account.findUnreadable(count: keys.count)
        slice.unflushed.inFlight -= keys.count
        _ = context.log.record(
            "reply unreadable",
            count: keys.count,
            line: { [messages = context.messages] index in
                ErrorLine(
                    message: messages.unreadable,
                    uri: batch.keys.text(keys[index]),
                    error: messages.unreadableDetail,
                    client: batch.account.name
                )
            },
            whenWritten: {}
        )
        for key in keys { slice.finish(key, .unreadable) }
    }

    /// memcached had values that there is no memory for. Their reply is well, so nobody waits for these lines either.
    private func settleUnkept(_ keys: [Int], _ slice: BatchSlice, _ server: SocketAddress) {
        let batch = slice.batch
        let error = MemcachedError(.receive, errno: ENOBUFS, server: server)
        slice.unflushed.inFlight -= keys.count
        context.counters.errors.add(keys.count, for: FanOutCounters.Failure(error))
        batch.account.fail(error.name, count: keys.count)
        _ = log(context.messages.get, keys, of: batch, error, whenWritten: {})
        for key in keys { settleLookup(of: key, slice, error) }
        schedule.touch(slice.slot!)
    }

    /// A whole reply has come; its values are in their places.
    private func finish(_ operation: Operation, _ connection: Connection, _ reply: IncomingReply) {
        let slice = operation.slice!
        note(operation, isDrop: false)
        // Answered before it was asked in full: what it would make of the rest is anybody's guess.
        let turn = connection.unsent.isEmpty ? putBack(connection) : nil
        switch operation.work {
        case .get where reply.isAnswered: break
        case .get:
            let positions = operation.positions
            let missed = reply.unanswered.map { slice.batch.keyIndex(at: positions[$0]) }
            slice.unflushed.inFlight -= missed.count
            miss(missed, of: slice)
        case .set(let key, let value):
            context.counters.writeBacks.add()
            slice.finish(key, .stored(value))
        case .read: break
        }
        end(operation)
        if let turn { take(turn) }
    }

    private func miss(_ keys: [Int], of slice: BatchSlice) {
        context.counters.misses.add(keys.count)
        if context.store == nil {
            for key in keys { slice.finish(key, .missing) }
        } else {
            slice.toStore += keys
        }
    }

    /// No answer in time. A reply that is in the socket by now was in time: the lane was late.
    func giveUp(_ operation: Operation, _ connection: Connection) {
        if connection.arrived != .nothing {
            return operation.slice.defersReplies ? postpone(operation, connection) : collect(operation, connection)
        }
        timeOut(operation, connection)
    }

    private func timeOut(_ operation: Operation, _ connection: Connection) {
        let server = context.servers.addresses[connection.server]
        let timeout = operation.deadline - operation.issued
        fail(operation, .timeout(after: timeout, server: server, received: operation.partial?.reply.waitingBytes ?? 0))
    }

    /// The accept queue did not have room in time.
    func failDial(_ operation: Operation, _ pending: PendingDial) {
        let dial = pending.dial
        failDial(operation, dial, MemcachedError(.connect, errno: ETIMEDOUT, source: dial.source, server: dial.address))
    }

    func failDial(_ operation: Operation, _ dial: Dial, _ error: MemcachedError) {
        context.counters.dialErrors.add(for: .init(dial.dialer, error))
        fail(operation, error)
    }

    /// An operation failed; its connection, if it had one, goes with it. It is over once its error
    /// lines are written, if anybody waits for that, and holds its permit until then.
    func fail(_ operation: Operation, _ error: MemcachedError) {
        if isTriedAgain(operation, error) { return retry(operation) }
        let slice = operation.slice!
        let batch = slice.batch
        let failure = FanOutCounters.Failure(error)
        let message: String
        let keys: [Int]
        switch operation.work {
        case .get:
            // What a reply brought before it broke off counts.
            keys = operation.unanswered.map { batch.keyIndex(at: $0) }
            slice.unflushed.inFlight -= keys.count
            context.counters.errors.add(keys.count, for: failure)
            batch.account.fail(error.name, count: keys.count)
            message = context.messages.get
        case .set(let key, _):
            context.counters.writeBackErrors.add(for: failure)
            keys = [key]
            message = context.messages.set
        case .read:
            preconditionFailure("a read cannot fail")
        }
        note(operation, isDrop: true)
        release(operation)
        deadlines.remove(operation.slot)
        schedule.touch(slice.slot!)
        operation.phase = .logging(error)
        let token = operation.token
        let waits = log(message, keys, of: batch, error) { [self] in markLogged(token) }
        if !waits { settle(token) }
    }

    /// Whether a lookup has another attempt: not where nobody waits for it any more.
    private func isTriedAgain(_ operation: Operation, _ error: MemcachedError) -> Bool {
        guard operation.retries < settings.retries, error.isOfConnection, case .get = operation.work else {
            return false
        }
        return !operation.slice.batch.isCancelled
    }

    /// One failure is not yet a lookup's: it is neither counted as one nor logged.
    private func retry(_ operation: Operation) {
        context.counters.retries.add()
        release(operation)
        deadlines.remove(operation.slot)
        operation.retry()
        send(operation, at: .now)
    }

    /// Ends an operation that has failed and been logged.
    func settle(_ token: OperationToken) {
        guard let operation = operation(token), case .logging(let error) = operation.phase else { return }
        let slice = operation.slice!
        switch operation.work {
        case .get:
            for position in operation.unanswered { settleLookup(of: slice.batch.keyIndex(at: position), slice, error) }
        case .set(let key, let value):
            slice.finish(key, .stored(value))
        case .read: break
        }
        end(operation)
    }

    private func settleLookup(of key: Int, _ slice: BatchSlice, _ error: MemcachedError) {
        if context.errorPolicy == .store, context.store != nil {
            slice.toStore.append(key)
        } else {
            slice.finish(key, .failed(error))
        }
    }

    /// - Returns: whether to wait until `whenWritten` is called.
    private func log(
        _ message: String,
        _ keys: [Int],
        of batch: Batch,
        _ error: MemcachedError,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        context.log.record(
            "\(error.step.rawValue) \(error.name)",
            count: keys.count,
            line: { index in
                ErrorLine(
                    message: message,
                    uri: batch.keys.text(keys[index]),
                    error: error.description,
                    client: batch.account.name
                )
            },
            whenWritten: whenWritten
        )
    }
}
