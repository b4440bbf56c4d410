internal import Dispatch
internal import POSIX

/// One client's connection: reads a request, has it answered, writes the answer, and again.
///
/// Unchecked: all state belongs to `queue`, a serial queue; entry points assert it.
final class ServerConnection: @unchecked Sendable {
    private enum State {
        case reading
        case responding(keepAlive: Bool)
        case writing(Outgoing, next: Next)
        /// Between two pieces of an answer that goes on.
        case streaming
        /// The answer is out and says we close: reads on until the client has seen it.
        case lingering
        case closed
    }

    /// What follows when something is written.
    private enum Next {
        case anotherRequest, close, pieces
    }

    /// How long the rest of a refused body is read away, so that the client finds the refusal
    /// and not a reset.
    private static let lingerTime = DispatchTimeInterval.seconds(5)

    private let socket: Socket
    private let queue: DispatchQueue
    private let responder: any Responder
    private let onClose: @Sendable (ServerConnection) -> Void
    private var state = State.reading
    private var parser: RequestParser
    private var readSource: (any DispatchSourceRead)?
    private var readIsSuspended = false
    private var writeSource: (any DispatchSourceWrite)?
    private var draining = false
    /// Fetches the pieces of an answer that goes on; cancelled when the client leaves.
    private var pump: Task<Void, Never>?
    /// Waits for a piece to be written; whether it was.
    private var pieceIsWritten: CheckedContinuation<Bool, Never>?

    init(
        _ socket: consuming Socket,
        largestBody: Int,
        responder: any Responder,
        onClose: @escaping @Sendable (ServerConnection) -> Void
    ) {
        self.socket = socket
        self.responder = responder
        self.onClose = onClose
        parser = RequestParser(largestBody: largestBody)
        // A global queue has as many threads as there are cores; without a target each busy
        // connection could bring a thread of its own.
        queue = DispatchQueue(label: "spiral.http.connection", target: .global())
    }

    func start() {
        queue.async { [self] in
            let source = DispatchSource.makeReadSource(fileDescriptor: socket.rawValue, queue: queue)
            readSource = source
            source.setEventHandler { [self] in readable() }
            // Holds the socket open until the source has let go of its descriptor.
            source.setCancelHandler { [self] in _ = self }
            source.resume()
        }
    }

    /// Closes at once when idle, after the answer otherwise.
    func drain() {
        queue.async { [self] in
            draining = true
            if case .reading = state, !parser.isMidRequest { close() }
        }
    }

    /// Closes whatever is going on.
    func abort() {
        queue.async { [self] in close() }
    }

    // MARK: Reading

    private func readable() {
        dispatchPrecondition(condition: .onQueue(queue))
        withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { buffer in
            do {
                switch try socket.descriptor.read(into: buffer) {
                case .wouldBlock: return
                case .done(0): close()
                case .done(let count): received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            } catch {
                close()
            }
        }
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .reading:
            parser.append(bytes)
            parse()
        case .lingering, .responding, .writing, .streaming, .closed: break
        }
    }

    private func parse() {
        do throws(RequestError) {
            switch try parser.next() {
            case .incomplete: break
            case .expectsContinue:
                let line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
                // Into an empty send buffer: it fits, or the connection is gone.
                guard (try? socket.descriptor.write(line[...])) == .done(line.count) else {
                    return close()
                }
            case .request(var request, let keepAlive):
                pauseReading()
                state = .responding(keepAlive: keepAlive)
                request.peer = try? socket.peerAddress()
                Task { [request] in
                    let response = await responder.respond(to: request)
                    queue.async { [self] in answer(response, keepAlive: keepAlive) }
                }
            }
        } catch {
            pauseReading()
            answer(responder.response(to: error), keepAlive: false)
        }
    }

    private func pauseReading() {
        if !readIsSuspended { readSource?.suspend() }
        readIsSuspended = true
    }

    private func resumeReading() {
        if readIsSuspended { readSource?.resume() }
        readIsSuspended = false
    }

    // MARK: Writing

    private func answer(_ response: Response, keepAlive: Bool) {
        if case .closed = state { return }
        let keepAlive = keepAlive && !draining && response.pieces == nil
        let next: Next = response.pieces != nil ? .pieces : keepAlive ? .anotherRequest : .close
        state = .writing(Outgoing([response.encodedHead(keepAlive: keepAlive)] + response.body), next: next)
        if let pieces = response.pieces { start(pieces) }
        write()
    }

    /// Sends piece after piece, each when the one before is out.
    private func start(_ pieces: AsyncStream<[UInt8]>) {
        // A client that leaves is noticed by reading.
        resumeReading()
        pump = Task { [weak self] in
            for await piece in pieces {
                guard await self?.send(piece) == true else { return }
            }
            self?.abort()
        }
    }

    /// - Returns: false when the connection is closed.
    private func send(_ piece: [UInt8]) async -> Bool {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                switch state {
                case .streaming:
                    pieceIsWritten = continuation
                    state = .writing(Outgoing([piece]), next: .pieces)
                    write()
                case .writing(var outgoing, .pieces):
                    // The head is still on its way: the first piece goes out behind it.
                    pieceIsWritten = continuation
                    outgoing.append(piece)
                    state = .writing(outgoing, next: .pieces)
                default:
                    continuation.resume(returning: false)
                }
            }
        }
    }

    private func write() {
        dispatchPrecondition(condition: .onQueue(queue))
        guard case .writing(var outgoing, let next) = state else { return }
        do {
            let isOut = try outgoing.write(to: socket.descriptor)
            state = .writing(outgoing, next: next)
            if !isOut { return writeWhenPossible() }
        } catch {
            return close()
        }
        writeSource?.cancel()
        writeSource = nil
        written(next)
    }

    private func writeWhenPossible() {
        guard writeSource == nil else { return }
        let source = DispatchSource.makeWriteSource(fileDescriptor: socket.rawValue, queue: queue)
        source.setEventHandler { [self] in write() }
        source.setCancelHandler { [self] in _ = self }
        writeSource = source
        source.resume()
        retryWriting()
    }

    /// A reset that comes just as the source is set up has once gone unreported: asking again finds it.
    private func retryWriting() {
        queue.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in
            guard let self, writeSource != nil else { return }
            write()
            if writeSource != nil { retryWriting() }
        }
    }

    private func written(_ next: Next) {
        switch next {
        case .anotherRequest:
            state = .reading
            // A pipelined request may be here already.
            parse()
            if case .reading = state { resumeReading() }
        case .pieces:
            state = .streaming
            pieceIsWritten.take()?.resume(returning: true)
        case .close:
            socket.finishSending()
            state = .lingering
            resumeReading()
            queue.asyncAfter(deadline: .now() + Self.lingerTime) { [weak self] in self?.close() }
        }
    }

    private func close() {
        if case .closed = state { return }
        state = .closed
        pump?.cancel()
        pieceIsWritten.take()?.resume(returning: false)
        readSource?.cancel()
        // A suspended source never runs its cancel handler.
        resumeReading()
        readSource = nil
        writeSource?.cancel()
        writeSource = nil
        onClose(self)
    }
}
