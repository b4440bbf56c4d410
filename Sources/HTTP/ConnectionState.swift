internal import HTTPTypes
internal import POSIX
internal import Units

/// A server's side of one connection as a value: bytes, events and moments in, what to do out. Holds no socket.
struct ConnectionState: Sendable {
    private enum Phase {
        /// Nothing of a request is there.
        case idle
        case readingHead
        case readingBody
        /// A request is with the responder since its last byte came.
        case responding(Exchange, since: MonotonicInstant)
        case writing(next: Next)
        /// Between two pieces of an answer that goes on.
        case streaming
        /// The answer is out and says we close: reads on until the client has seen it.
        case lingering
        case closed
    }

    /// What follows when something is written.
    enum Next {
        case anotherRequest, close, pieces
    }

    /// What is to be done after bytes came.
    enum Step {
        /// Nothing, until more comes.
        case wait
        /// Tell the client to go on, then ask again.
        case sendContinue
        case respond(Request)
        case refuse(RequestError)
    }

    /// What is to be done when time is over, or the client left.
    enum Ending {
        case close
        /// Close in the middle of an answer: the client takes none of it.
        case cutOff
        case refuse(RequestError)
        /// The request under way is nobody's any more.
        case abandon
    }

    /// How long the rest of a refused body is read away, so that the client finds the refusal and not a reset.
    private static let lingerTime = Duration.seconds(5)
    /// A client that ends its side as it sends its last request still reads: it comes with the request. One that
    /// does so later has left.
    private static let halfCloseTime = Duration.milliseconds(50)

    private let bounds: ServerBounds
    private var parser: RequestParser
    private var phase: Phase
    /// When the present phase has taken too long; nil where it may take any time.
    private(set) var deadline: MonotonicInstant?
    private var isDraining = false

    init(_ bounds: ServerBounds, at now: MonotonicInstant) {
        self.bounds = bounds
        parser = RequestParser(largestBody: bounds.body)
        phase = .idle
        deadline = now + bounds.idleTimeout
    }

    // MARK: Reading

    /// Whether bytes are to be read now. Others wait in the kernel, which slows the client down.
    var wantsBytes: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody, .lingering, .streaming: true
        case .responding, .writing, .closed: false
        }
    }

    /// Bytes it holds of requests that are being read.
    var heldBytes: Int {
        switch phase {
        case .idle, .readingHead, .readingBody: parser.heldBytes
        case .responding, .writing, .streaming, .lingering, .closed: 0
        }
    }

    /// Until when it waits for its client, and how much is lost with it, the least being 0; nil while its client waits.
    var wait: (loss: Int, until: MonotonicInstant)? {
        let loss: Int? =
            switch phase {
            case .idle: 0
            case .lingering: 1
            case .readingHead: 2
            case .readingBody: 3
            case .writing: 4
            case .responding, .streaming, .closed: nil
            }
        return loss.flatMap { loss in deadline.map { (loss, $0) } }
    }

    /// The head of the request that is being read or answered, once it is there.
    var head: Request? { parser.head }

    mutating func received(_ bytes: UnsafeRawBufferPointer) {
        switch phase {
        case .idle, .readingHead, .readingBody: parser.append(bytes)
        case .responding, .writing, .streaming, .lingering, .closed: break
        }
    }

    /// What the bytes so far come to.
    mutating func step(at now: MonotonicInstant) -> Step {
        switch phase {
        case .idle, .readingHead, .readingBody: break
        case .responding, .writing, .streaming, .lingering, .closed: return .wait
        }
        do throws(RequestError) {
            switch try parser.next() {
            case .incomplete:
                note(parser.progress, at: now)
                return .wait
            case .expectsContinue:
                note(.body, at: now)
                return .sendContinue
            case .request(var request, let keepAlive):
                var exchange = Exchange(isHTTP10: request.isHTTP10, keepAlive: keepAlive)
                if request.head.method == .head {
                    exchange.isHead = true
                    request.head.method = .get
                }
                request.arrived = now
                phase = .responding(exchange, since: now)
                deadline = nil
                return .respond(request)
            }
        } catch {
            beginRefusal(at: now)
            return .refuse(error)
        }
    }

    /// What comes, or would come, is not taken: the answer that says so is the connection's last.
    mutating func beginRefusal(at now: MonotonicInstant) {
        phase = .responding(Exchange(isHead: parser.head?.head.method == .head), since: now)
        deadline = nil
        parser.forgetBytes()
    }

    private mutating func note(_ progress: RequestParser.Progress, at now: MonotonicInstant) {
        switch (progress, phase) {
        case (.head, .idle):
            phase = .readingHead
            deadline = now + bounds.headTimeout
        case (.body, .idle), (.body, .readingHead):
            phase = .readingBody
            deadline = now + bounds.bodyTimeout
        default: break
        }
    }

    // MARK: Answering

    /// An answer is there.
    /// - Returns: its bytes, and whether pieces follow; nil when the connection is over.
    mutating func answer(_ response: Response, at now: MonotonicInstant) -> (blocks: [[UInt8]], hasPieces: Bool)? {
        guard case .responding(var exchange, _) = phase else { return nil }
        let hasPieces = response.pieces != nil && !exchange.isHead
        exchange.keepAlive = exchange.keepAlive && !isDraining && !response.closes && response.pieces == nil
        phase = .writing(next: hasPieces ? .pieces : exchange.keepAlive ? .anotherRequest : .close)
        deadline = now + bounds.writeTimeout
        return (response.encoded(for: exchange), hasPieces)
    }

    /// A piece of an answer that goes on.
    /// - Returns: false when it cannot be written.
    mutating func piece(at now: MonotonicInstant) -> Bool {
        switch phase {
        case .streaming:
            phase = .writing(next: .pieces)
            deadline = now + bounds.writeTimeout
            return true
        // The head is still on its way: the first piece goes out behind it.
        case .writing(next: .pieces): return true
        case .writing, .idle, .readingHead, .readingBody, .responding, .lingering, .closed: return false
        }
    }

    /// All that was given out is written.
    /// - Returns: what follows; nil when nothing was on its way.
    mutating func written(at now: MonotonicInstant) -> Next? {
        guard case .writing(let next) = phase else { return nil }
        switch next {
        case .anotherRequest:
            phase = .idle
            deadline = now + bounds.idleTimeout
        case .pieces:
            phase = .streaming
            deadline = nil
        case .close:
            phase = .lingering
            deadline = now + Self.lingerTime
        }
        return next
    }

    // MARK: Endings

    /// The client has ended its side.
    mutating func finished(at now: MonotonicInstant) -> Ending? {
        switch phase {
        case .idle, .readingHead, .readingBody, .streaming, .lingering: return .close
        case .responding(_, let since):
            return bounds.abandoned == .cancel && now - since > Self.halfCloseTime ? .abandon : nil
        case .writing, .closed: return nil
        }
    }

    /// The connection is broken.
    mutating func broken() -> Ending? {
        switch phase {
        case .responding: bounds.abandoned == .cancel ? .abandon : nil
        case .closed: nil
        case .idle, .readingHead, .readingBody, .writing, .streaming, .lingering: .close
        }
    }

    /// Its deadline is over.
    mutating func expire(at now: MonotonicInstant) -> Ending? {
        guard let deadline, deadline <= now else { return nil }
        switch phase {
        case .readingHead:
            return refusal(after: "the header fields did not come within \(bounds.headTimeout.text)", at: now)
        case .readingBody: return refusal(after: "the body did not come within \(bounds.bodyTimeout.text)", at: now)
        case .writing: return .cutOff
        case .idle, .streaming, .lingering, .responding: return .close
        case .closed: return nil
        }
    }

    private mutating func refusal(after message: String, at now: MonotonicInstant) -> Ending {
        beginRefusal(at: now)
        return .refuse(RequestError(.requestTimeout, message))
    }

    /// Closes when idle, after the answer otherwise.
    /// - Returns: whether to close now.
    mutating func drain() -> Bool {
        isDraining = true
        if case .idle = phase { return parser.progress == .none }
        return false
    }

    mutating func close() {
        phase = .closed
        deadline = nil
    }
}
