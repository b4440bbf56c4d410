internal import POSIX
internal import Units

/// How batches end that are not answered.
extension LoadLoop {
    // MARK: Batches that take too long

    func giveUpOverdue(_ now: MonotonicInstant) {
        while let id = batches.oldest, batches[id].due + options.timeout <= now { giveUp(id, now: now) }
        guard let readTimeout = options.readTimeout, now >= nextProgressCheck else { return }
        nextProgressCheck = now + min(readTimeout / 4, .milliseconds(100))
        for connection in connections.all where connection.lastProgress + readTimeout <= now {
            if let id = connection.batch { giveUp(id, now: now) }
        }
    }

    func giveUp(_ id: BatchTable.ID, now: MonotonicInstant) {
        if let connection = batches[id].connection {
            close(connection)
            finish(id, now: now) { $0.recorder.fail("ETIMEDOUT", after: now - $0.due) }
        } else {
            let batch = remove(id)
            batch.recorder.giveUpUnsent(after: now - batch.due)
            freed.append((batch.client, now))
        }
    }

    /// Ends the load at this moment: what is in flight is not waited for, and what was due and not begun is not sent.
    func abandonAll() {
        let now = MonotonicInstant.now
        while let id = batches.oldest {
            let batch = remove(id)
            if batch.connection == nil {
                batch.recorder.giveUpUnsent(after: now - batch.due)
            } else {
                batch.recorder.giveUpUnanswered(after: now - batch.due)
            }
        }
        guard !isStopped else { return }
        var allowed = (options.maxBatches ?? .max) - begun
        for client in clients.indices where !clients[client].isByHand && !clients[client].source.isClosedLoop {
            for part in backlog(of: client, until: min(now, end ?? now)) where allowed > 0 && part.due >= options.warmUp
            {
                let count = min(part.batches, allowed)
                allowed -= count
                clients[client].recorder.skip(count, uris: part.uris, after: now - (beginning + part.due))
            }
        }
    }

    /// Batches of a client that were due, and that a sender that is behind has not come to.
    private func backlog(of client: Int, until moment: MonotonicInstant) -> [BatchSource.Backlog] {
        let elapsed = moment - beginning
        guard let (id, due) = clients[client].upcoming, due <= elapsed else { return [] }
        let first = BatchSource.Backlog(due: due, batches: 1, uris: batches[id].selection.size)
        return [first] + clients[client].source.backlog(until: elapsed)
    }
}
