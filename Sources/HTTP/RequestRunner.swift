internal import Dispatch
internal import POSIX
internal import Synchronization

/// What has requests answered, on whichever threads.
protocol RequestRunner: Sendable {
    var refuser: any Refuser { get }

    /// Starts the threads it needs.
    /// - Throws: ``SystemCallError``
    func begin() throws(SystemCallError)

    /// - Parameter answer: called once, from any thread, unless the response is returned.
    func start(_ request: Request, answer: @escaping @Sendable (Response) -> Void) -> StartedRequest

    /// No further request comes.
    func stop()
}

enum StartedRequest {
    case answered(Response)
    case running(cancel: @Sendable () -> Void)
}

/// Has each request answered by a task of its own.
struct PoolRunner: RequestRunner {
    let responder: any Responder

    var refuser: any Refuser { responder }

    func start(_ request: Request, answer: @escaping @Sendable (Response) -> Void) -> StartedRequest {
        let task = Task { answer(await responder.respond(to: request)) }
        return .running(cancel: { task.cancel() })
    }

    func begin() {}
    func stop() {}
}

/// Has requests answered one after another by one thread.
final class ThreadRunner: RequestRunner {
    private struct Job {
        var request: Request
        var answer: @Sendable (Response) -> Void
    }

    private struct State {
        var jobs: [Job] = []
        var isStopped = false
    }

    private let responder: any ThreadResponder
    private let state = Mutex(State())
    private let wakeup = DispatchSemaphore(value: 0)

    init(_ responder: any ThreadResponder) {
        self.responder = responder
    }

    var refuser: any Refuser { responder }

    func begin() throws(SystemCallError) {
        try Thread(name: "http-answers") { [self] in run() }.detach()
    }

    func start(_ request: Request, answer: @escaping @Sendable (Response) -> Void) -> StartedRequest {
        if let response = responder.immediateResponse(to: request) { return .answered(response) }
        state.withLock { $0.jobs.append(Job(request: request, answer: answer)) }
        wakeup.signal()
        return .running(cancel: {})
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wakeup.signal()
    }

    private func run() {
        while true {
            wakeup.wait()
            let (job, isStopped) = state.withLock { state in
                (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isStopped)
            }
            if let job {
                job.answer(responder.respond(to: job.request))
            } else if isStopped {
                return
            }
        }
    }
}
