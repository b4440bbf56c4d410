internal import Glibc
internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// How a lane collects: a reply, or the reason there is none.
extension Lane {
    /// Reads a reply that has arrived and ends the operation.
    func collect(_ operation: Operation, _ connection: Connection) {
        let address = context.servers.addresses[connection.server]
        switch connection.receive(into: received) {
        case .nothing:
            // Nobody said that it had come, or the end of an earlier reply was reported late.
            watch(operation, connection)
        case .value, .end:
            guard case .get(let unit) = operation.work else {
                return fail(operation, MemcachedError(.reply, server: address, detail: "a set was answered as a get"))
            }
            collectValues(operation, unit, connection)
        case .stored:
            guard case .set(let key, let value) = operation.work else {
                return fail(operation, MemcachedError(.reply, server: address, detail: "a get was answered as a set"))
            }
            let slice = operation.slice!
            let (_, isWhole) = connection.collect(received) { $0.nextValue(into: values) }
            if isWhole { context.pool.put(connection) }
            context.counters.writeBacks.add()
            note(operation, isDrop: false)
            slice.finish(key, .stored(value))
            end(operation)
        case .error(let code, let line):
            fail(operation, MemcachedError(.reply, code: code, server: address, detail: line))
        case .closed:
            fail(operation, MemcachedError(.receive, code: .connectionFailure, server: address, detail: "EOF"))
        case .failed(let errno):
            fail(operation, MemcachedError(.receive, errno: errno, server: address))
        }
    }

    /// Takes the values of a `get` to their keys. memcached answers in the order it was asked, and
    /// leaves out what it does not have (protocol.txt), so keys passed over are misses.
    private func collectValues(_ operation: Operation, _ unit: Batch.Unit, _ connection: Connection) {
        let slice = operation.slice!
        let batch = slice.batch
        var position = unit.positions.lowerBound
        var missed: [Int] = []
        var hits = 0
        let (ending, isWhole) = connection.collect(received) { handle in
            while true {
                let (value, code) = handle.nextValue(into: values)
                guard let value else { return code }
                while position < unit.positions.upperBound {
                    let key = batch.keyIndex(at: position)
                    position += 1
                    if batch.keys.matches(key, value.key) {
                        hits += 1
                        batch.set(.hit(Array(value.bytes)), of: key)
                        break
                    }
                    missed.append(key)
                }
            }
        }
        let rest = position..<unit.positions.upperBound
        slice.unflushed.hits += hits
        slice.unflushed.finished += hits
        slice.unflushed.inFlight -= unit.positions.count
        if ending == .end || ending == .notFound {
            note(operation, isDrop: false)
            // More than the reply asked for: what follows on this connection could not be trusted.
            if isWhole { context.pool.put(connection) }
            missed += rest.map { batch.keyIndex(at: $0) }
            if !missed.isEmpty { miss(missed, of: slice) }
        } else {
            // The reply broke off: what came counts, the rest failed.
            note(operation, isDrop: true)
            if !missed.isEmpty { miss(missed, of: slice) }
            let error = MemcachedError(
                .receive,
                code: ending,
                errno: connection.handle.lastErrno,
                server: context.servers.addresses[connection.server],
                detail: ending.text
            )
            context.counters.errors.add(rest.count, for: .init(error))
            batch.account.fail(error.name, count: rest.count)
            let keys = rest.map { batch.keyIndex(at: $0) }
            // Part of the unit was answered, so nobody waits for these lines.
            _ = log(context.messages.get, keys, of: batch, error) {}
            for key in keys { settleLookup(of: key, slice, error) }
        }
        end(operation)
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
        if connection.hasReply {
            return operation.slice.defersReplies ? postpone(operation, connection) : collect(operation, connection)
        }
        let address = context.servers.addresses[connection.server]
        fail(operation, .timeout(after: settings.lookupTimeout, server: address))
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
        let slice = operation.slice!
        let batch = slice.batch
        let failure = FanOutCounters.Failure(error)
        let message: String
        let keys: [Int]
        switch operation.work {
        case .get(let unit):
            slice.unflushed.inFlight -= unit.positions.count
            context.counters.errors.add(unit.positions.count, for: failure)
            batch.account.fail(error.name, count: unit.positions.count)
            keys = unit.positions.map { batch.keyIndex(at: $0) }
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

    /// Ends an operation that has failed and been logged.
    func settle(_ token: OperationToken) {
        guard let operation = operation(token), case .logging(let error) = operation.phase else { return }
        let slice = operation.slice!
        switch operation.work {
        case .get(let unit):
            for position in unit.positions { settleLookup(of: slice.batch.keyIndex(at: position), slice, error) }
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
