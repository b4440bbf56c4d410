internal import POSIX

extension ServerLoop {
    /// Begins to write an answer.
    /// - Returns: whether it is out, and the next request may be read.
    func begin(_ response: Response, on connection: ServerConnection) -> Bool {
        guard let (blocks, hasPieces) = connection.state.answer(response, at: .now) else { return false }
        connection.outgoing = Outgoing(blocks)
        let bytes = blocks.reduce(0) { $0 + $1.count }
        held.force(bytes - connection.heldBytes)
        connection.heldBytes = bytes
        noteDeadline(of: connection)
        if hasPieces, let pieces = response.pieces { connection.pump = pump(pieces, to: connection.token) }
        return send(connection)
    }

    /// Sends piece after piece, each when the one before is out.
    private func pump(_ pieces: AsyncStream<[UInt8]>, to token: ServerConnection.Token) -> Task<Void, Never> {
        Task { [self] in
            for await piece in pieces {
                let isWritten = await withCheckedContinuation { continuation in
                    if !post(.piece(piece, continuation), to: token) { continuation.resume(returning: false) }
                }
                guard isWritten else { return }
            }
            post(.close, to: token)
        }
    }

    func write(_ connection: ServerConnection) {
        if send(connection) { advance(connection) }
        read(connection)
    }

    /// Writes what fits.
    /// - Returns: whether an answer is out with it, and the next request may be read.
    private func send(_ connection: ServerConnection) -> Bool {
        do throws(SystemCallError) {
            guard try connection.outgoing.write(to: connection.socket.descriptor) else { return false }
        } catch {
            close(connection)
            return false
        }
        let next = connection.state.written(at: .now)
        if next != nil {
            held.giveBack(connection.heldBytes)
            connection.heldBytes = 0
            noteDeadline(of: connection)
        }
        switch next {
        case nil: return false
        case .anotherRequest: return true
        case .pieces: connection.pieceIsWritten.take()?.resume(returning: true)
        case .close: connection.socket.finishSending()
        }
        return false
    }
}
