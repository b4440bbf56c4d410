internal import HTTP
internal import HTTPTypes
internal import POSIX
internal import Units

/// How batches get onto connections and off them.
extension LoadLoop {
    /// Bytes read of one connection before others have their turn.
    private static let readsAtOnce = 1 << 20
    /// An answer to one URI: more is nobody's post.
    private static let largestRecord = 64 << 10

    /// Sends a batch on a connection that is idle, or on a new one.
    func send(_ id: BatchTable.ID) {
        let client = batches[id].client
        batches[id].recorder.depart()
        clients[client].inFlight += 1
        while let connection = clients[client].idle.popLast() {
            // Closed by the server while it was idle.
            guard connections[connection.token] != nil else { continue }
            return carry(id, connection)
        }
        open(for: id)
    }

    private func open(for id: BatchTable.ID) {
        let client = batches[id].client
        let token = connections.nextToken()
        batches[id].recorder.connect()
        do throws(SystemCallError) {
            let address = addresses.address(after: batches[id].failedConnects)
            let socket = try Socket.connecting(to: address, from: source?.next())
            try control.poller.add(socket.rawValue, .both, token: token)
            let largest = max(64 << 20, batches[id].selection.size * Self.largestRecord)
            let connection = Connection(
                socket,
                to: address,
                client: client,
                token: token,
                parser: ResponseParser(largestBody: largest, answering: options.form.method),
                now: .now
            )
            connections.insert(connection)
            carry(id, connection)
        } catch {
            connections.remove(token)
            if !tryElsewhere(id, after: error.name) { fail(id, error.name) }
        }
    }

    /// Connects to another address of the host, where it is not known yet which of them takes connections.
    private func tryElsewhere(_ id: BatchTable.ID, after error: String) -> Bool {
        guard addresses.hasAnother(after: error, failed: batches[id].failedConnects) else { return false }
        batches[id].failedConnects += 1
        open(for: id)
        return true
    }

    private func carry(_ id: BatchTable.ID, _ connection: Connection) {
        connection.batch = id
        connection.sent = 0
        connection.lastProgress = .now
        batches[id].connection = connection
        advance(connection)
    }

    func close(_ connection: Connection) {
        connections.remove(connection.token)
        // The socket is closed with the last reference; what it has to say until then is of no interest.
        try? control.poller.remove(connection.socket.rawValue)
    }

    /// Something may have become possible on a connection: to write more, or to read.
    func advance(_ connection: Connection) {
        guard let id = connection.batch else { return advanceIdle(connection) }
        var broken: SystemCallError?
        do throws(SystemCallError) {
            try write(id, connection)
        } catch {
            broken = error
        }
        // A server that refuses a batch may close before it has read all of it, and has answered.
        read(connection, id, broken: broken)
    }

    /// An idle connection has an end, or an answer to nothing: it cannot be used any more.
    private func advanceIdle(_ connection: Connection) {
        let isQuiet = (try? connection.socket.descriptor.read(into: space)) == .wouldBlock
        if !isQuiet { close(connection) }
    }

    /// Writes what fits.
    private func write(_ id: BatchTable.ID, _ connection: Connection) throws(SystemCallError) {
        while connection.sent < batches[id].request!.count {
            // Before it is written: a server on this machine may have answered by the time the call returns.
            let now = MonotonicInstant.now
            guard
                case .done(let count) = try connection.socket.descriptor.write(batches[id].request![connection.sent...])
            else { return }
            if batches[id].sent == nil {
                batches[id].sent = now
                batches[id].recorder.send(after: now - batches[id].due)
            }
            if connection.sent == 0 { addresses.take(connection.address) }
            connection.lastProgress = now
            connection.sent += count
        }
    }

    /// Reads on where there was more than one turn's.
    func readOn() {
        let tokens = unfinished
        unfinished = []
        for token in tokens {
            if let connection = connections[token] { advance(connection) }
        }
    }

    /// Reads until there is no more, or the answer is complete.
    private func read(_ connection: Connection, _ id: BatchTable.ID, broken: SystemCallError?) {
        var taken = 0
        while taken < Self.readsAtOnce {
            let result: IOResult
            do throws(SystemCallError) {
                result = try connection.socket.descriptor.read(into: space)
            } catch {
                return lose(connection, id, (broken ?? error).name)
            }
            guard case .done(let count) = result else {
                if let broken { lose(connection, id, broken.name) }
                return
            }
            taken += count
            let now = MonotonicInstant.now
            connection.lastProgress = now
            do throws(ResponseParser.Failure) {
                connection.parser.append(UnsafeRawBufferPointer(rebasing: space[..<count]))
                let output = count == 0 ? try connection.parser.finish() : try connection.parser.next()
                if case .answer(let answer, let isKept) = output {
                    let isKept = isKept && broken == nil && count > 0
                    return answered(connection, id, answer, isKept: isKept, now: now)
                }
            } catch {
                switch error {
                case .closed: return lose(connection, id, broken?.name ?? "EOF")
                case .malformed: return drop(connection, id, "MALFORMED_HTTP")
                case .tooLarge: return drop(connection, id, "TOO_LARGE")
                }
            }
        }
        unfinished.append(connection.token)
    }

    private func answered(
        _ connection: Connection,
        _ id: BatchTable.ID,
        _ answer: HTTP.Client.Answer,
        isKept: Bool,
        now: MonotonicInstant
    ) {
        let isSent = connection.sent == batches[id].request!.count
        connection.batch = nil
        let client = connection.client
        if isKept, isSent, !connection.isEnded, connection.parser.isBetweenAnswers {
            connection.isReused = true
            clients[client].idle.append(connection)
        } else {
            close(connection)
        }
        finish(id, now: now) { self.judge($0, answer, at: now) }
    }

    /// A connection broke before the answer was complete. A server may close one at any time on which nothing is under
    /// way: the batch that met with it is sent once more, on a new one. RFC 9112 section 9.3.1
    private func lose(_ connection: Connection, _ id: BatchTable.ID, _ name: String) {
        guard connection.isReused, connection.parser.isBetweenAnswers, !batches[id].isRedialled else {
            close(connection)
            // Nothing went out on it: it was never made.
            if connection.sent > 0 || !tryElsewhere(id, after: name) { fail(id, name) }
            return
        }
        close(connection)
        batches[id].isRedialled = true
        batches[id].recorder.redial()
        open(for: id)
    }

    private func drop(_ connection: Connection, _ id: BatchTable.ID, _ name: String) {
        close(connection)
        fail(id, name)
    }

    private func fail(_ id: BatchTable.ID, _ name: String) {
        let now = MonotonicInstant.now
        finish(id, now: now) { $0.recorder.fail(name, after: now - $0.due) }
    }

    /// A batch that was in flight has ended.
    func finish(_ id: BatchTable.ID, now: MonotonicInstant, _ record: (BatchTable.Batch) -> Void) {
        let batch = remove(id)
        batch.recorder.release()
        record(batch)
        clients[batch.client].inFlight -= 1
        freed.append((batch.client, now))
    }

    /// Records what an answer is.
    private func judge(_ batch: BatchTable.Batch, _ answer: HTTP.Client.Answer, at now: MonotonicInstant) {
        let (recorder, selection, status, body) = (batch.recorder, batch.selection, answer.status, answer.body)
        let latency = now - batch.due
        let service = now - (batch.sent ?? now)
        recorder.note(status: status, bytes: body.count)
        if options.form.isPlain {
            if (200..<300).contains(status) {
                recorder.succeed(.init(), latency: latency, service: service)
            } else {
                recorder.fail("HTTP_\(status)", after: latency)
            }
            return
        }
        guard status == 200 else { return recorder.fail("HTTP_\(status)", after: latency) }
        // Nobody asked for one; what is in it may be well formed all the same.
        if let coding = answer.fields[.contentEncoding], coding.lowercased() != "identity" {
            return recorder.fail("CONTENT_ENCODING", after: latency)
        }
        let codec = clients[batch.client].spec.codec
        let record: @Sendable (Result<AnswerCheck.Tally, AnswerCheck.Fault>) -> Void = { result in
            switch result {
            case .success(let tally): recorder.succeed(tally, latency: latency, service: service)
            case .failure(let fault): recorder.fail(fault.rawValue, after: latency)
            }
        }
        if body.count < LargeAnswerCheck.size {
            record(Result { () throws(AnswerCheck.Fault) in try check.check(body, codec, against: selection) })
        } else {
            assistant.add { [largeCheck] in record(largeCheck.check(body, codec, against: selection)) }
        }
    }
}
