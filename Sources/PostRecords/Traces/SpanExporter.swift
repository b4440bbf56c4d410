internal import Dispatch
package import HTTP
internal import HTTPTypes
internal import POSIX
internal import Synchronization
package import Telemetry
internal import Text
internal import Units

/// Sends spans to an OpenTelemetry collector over HTTP, in batches, from a thread of its own.
///
/// Never holds up who adds a span: what does not fit the queue is dropped and counted, and so are
/// spans the collector does not take.
package final class SpanExporter: Sendable {
    /// Spans that wait at most, and that go out in one request: the defaults of OpenTelemetry's batch processor.
    private static let capacity = 2048
    private static let largestBatch = 512
    private static let timeout = Duration.seconds(5)
    /// On loopback it dials from an address of its own, so that it has ports when the lookups have none.
    private static let source = IPv4Address(value: 0x7f00_0204)

    private struct State {
        var queue: [Span] = []
        var isClosed = false

        var hasRoom: Bool { queue.count < capacity && !isClosed }
    }

    private let target: Target
    private let interval: Duration
    private let state = Mutex(State())
    private let wakeup = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    package let exported = Counter()
    package let dropped = Counter()

    /// - Parameters:
    ///   - target: where the collector takes traces, usually with path `/v1/traces`.
    ///   - interval: how often waiting spans go out.
    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    package static func start(to target: Target, every interval: Duration = .seconds(1)) throws -> SpanExporter {
        let exporter = SpanExporter(target, interval)
        try Thread(name: "span-exporter") { exporter.run() }.detach()
        return exporter
    }

    private init(_ target: Target, _ interval: Duration) {
        self.target = target
        self.interval = interval
    }

    /// - Parameter span: made only where there is room for it.
    package func add(_ span: @autoclosure () -> Span) {
        guard state.withLock({ $0.hasRoom }) else { return dropped.add() }
        let span = span()
        let (isTaken, isBatch) = state.withLock { state in
            guard state.hasRoom else { return (false, false) }
            state.queue.append(span)
            return (true, state.queue.count == Self.largestBatch)
        }
        if !isTaken { dropped.add() }
        if isBatch { wakeup.signal() }
    }

    /// Sends what waits, once, and ends.
    /// - Parameter timeout: how long the collector may take for it.
    package func close(within timeout: Duration) {
        state.withLock { $0.isClosed = true }
        wakeup.signal()
        _ = ended.wait(timeout: .now() + .nanoseconds(Int(timeout.wholeNanoseconds)))
    }

    private func run() {
        var client: Client?
        var isFailing = false
        while true {
            _ = wakeup.wait(timeout: .now() + .nanoseconds(Int(interval.wholeNanoseconds)))
            let isClosed = state.withLock { $0.isClosed }
            while true {
                let spans = state.withLock { state in
                    let spans = Array(state.queue.prefix(Self.largestBatch))
                    state.queue.removeFirst(spans.count)
                    return spans
                }
                if spans.isEmpty { break }
                if let problem = send(spans, over: &client) {
                    dropped.add(spans.count)
                    // Once for each time it begins to fail.
                    if !isFailing {
                        StandardError.print("--otlp-endpoint \(target): \(problem); spans are dropped and counted")
                    }
                    isFailing = true
                } else {
                    exported.add(spans.count)
                    isFailing = false
                }
            }
            if isClosed {
                ended.signal()
                return
            }
        }
    }

    /// - Returns: what went wrong, or nil.
    private func send(_ spans: [Span], over kept: inout Client?) -> String? {
        do {
            var client: Client
            if let open = kept.take(), open.isReusable {
                client = open
            } else {
                let source = target.address.isLoopback ? Self.source : nil
                client = try Client(
                    to: target.address,
                    from: source,
                    timeout: Self.timeout,
                    longestAnswer: Self.timeout,
                    largestBody: 1 << 20
                )
            }
            let body = JSONText.encode(OTLPDocument(spans))
            let answer = try client.send(.post, target.path, fields: [.contentType: "application/json"], body: body)
            kept = consume client
            return (200..<300).contains(answer.status) ? nil : "the collector answered \(answer.status)"
        } catch {
            return "\(error)"
        }
    }
}
