internal import DequeModule
internal import Dispatch
internal import POSIX
internal import Synchronization

/// A thread that makes large requests and looks through large answers, so that the sender can keep its times.
final class Assistant: Sendable {
    private let queue = Mutex(Deque<@Sendable () -> Void>())
    /// Counts the jobs; one more than there are is the order to end.
    private let jobs = DispatchSemaphore(value: 0)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Throws: ``SystemCallError`` when the thread cannot be made.
    func start() throws(SystemCallError) {
        try Thread(name: "load-assistant") { self.run() }.detach()
    }

    func add(_ job: @escaping @Sendable () -> Void) {
        queue.withLock { $0.append(job) }
        jobs.signal()
    }

    /// Waits until all jobs are done, and ends the thread.
    func finish() {
        jobs.signal()
        hasEnded.wait()
    }

    private func run() {
        while true {
            jobs.wait()
            guard let job = queue.withLock({ $0.popFirst() }) else { break }
            job()
        }
        hasEnded.signal()
    }
}
