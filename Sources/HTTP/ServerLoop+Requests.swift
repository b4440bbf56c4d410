internal import HTTPTypes
internal import POSIX

extension ServerLoop {
    /// Reads of one connection before others have their turn.
    private static let readsInTurn = 4

    /// Reads what there is, as far as bytes are wanted and this connection's turn goes.
    func read(_ connection: ServerConnection) {
        var reads = 0
        while connection.isReadable, connection.state.wantsBytes {
            guard reads < Self.readsInTurn else { return unread.append(connection.token) }
            reads += 1
            do throws(SystemCallError) {
                switch try connection.socket.descriptor.read(into: buffer) {
                case .wouldBlock: connection.isReadable = false
                case .done(0):
                    connection.isReadable = false
                    if let ending = connection.state.finished(at: .now) { end(connection, ending) }
                case .done(let count):
                    // Less than there is room for is all; but for the end, of which nothing more is said.
                    connection.isReadable = count == buffer.count || connection.hasEnded
                    connection.state.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    advance(connection)
                }
            } catch {
                return close(connection)
            }
        }
    }

    /// Goes on with what has arrived, and with requests behind those that are answered at once.
    func advance(_ connection: ServerConnection) {
        while true {
            switch connection.state.step(at: .now) {
            case .wait:
                noteDeadline(of: connection)
                return hold(connection.state.heldBytes, for: connection)
            case .sendContinue:
                guard tellToGoOn(connection) else { return }
            case .respond(let request):
                guard let response = start(request, of: connection) else { return }
                guard begin(response, on: connection) else { return }
            case .refuse(let error):
                guard begin(refusal(of: error, on: connection), on: connection) else { return }
            }
        }
    }

    /// - Returns: whether the connection goes on to be read.
    private func tellToGoOn(_ connection: ServerConnection) -> Bool {
        let head = connection.state.head!.head
        if var refusal = runner.refuser.refusal(of: head) {
            connection.state.beginRefusal(at: .now)
            refusal.closes = true
            return begin(refusal, on: connection)
        }
        let line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        // Into a send buffer that is empty: it fits, or the connection is gone.
        if (try? connection.socket.descriptor.write(line[...])) == .done(line.count) { return true }
        close(connection)
        return false
    }

    /// Counts what a connection holds of a request that is coming; refuses what there is no room for.
    private func hold(_ bytes: Int, for connection: ServerConnection) {
        guard bytes != connection.heldBytes else { return }
        if held.take(bytes - connection.heldBytes) {
            connection.heldBytes = bytes
            return
        }
        let error = RequestError(
            .tooManyRequests,
            "requests and answers of \(held.value) bytes are held here already; try again later"
        )
        connection.state.beginRefusal(at: .now)
        _ = begin(refusal(of: error, on: connection), on: connection)
    }

    private func start(_ request: Request, of connection: ServerConnection) -> Response? {
        var request = request
        request.peer = connection.peer
        let token = connection.token
        switch runner.start(request, answer: { [self] response in post(.answer(response), to: token) }) {
        case .answered(let response): return response
        case .running(let cancel):
            connection.cancel = cancel
            // The body stays counted until the answer is there.
            held.force(request.body.count - connection.heldBytes)
            connection.heldBytes = request.body.count
            return nil
        }
    }

    func refusal(of error: RequestError, on connection: ServerConnection) -> Response {
        var response = runner.refuser.response(to: error, head: connection.state.head?.head)
        response.closes = true
        if error.status == .serviceUnavailable { response.head.headerFields[.retryAfter] = "1" }
        return response
    }
}
