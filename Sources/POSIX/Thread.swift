internal import CLinux
internal import Glibc

/// An operating-system thread with a name, for work that must own one: lanes, blocking clients.
package struct Thread: ~Copyable {
    private let handle: pthread_t

    /// Starts `body` on a new thread.
    /// - Parameters:
    ///   - name: shown by `ps -L` and `top -H`; the kernel keeps 15 bytes.
    ///   - stack: size of its stack.
    /// - Throws: ``SystemCallError`` (EAGAIN where no more threads are allowed). pthread_create(3)
    package init(name: String, stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void)
        throws(SystemCallError)
    {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle,
            &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                linux_name_thread(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard result == 0 else {
            start.release()
            throw SystemCallError("pthread_create", on: name, errno: result)
        }
        self.handle = handle
    }

    /// Lets the thread run on by itself. pthread_detach(3)
    package consuming func detach() {
        pthread_detach(handle)
    }

    /// Has the calling thread run before others that want the processor too, where this process may say so; root's may.
    /// setpriority(2)
    package static func comeFirst() {
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
    }

    /// Processor time the calling thread has used. clock_gettime(2) CLOCK_THREAD_CPUTIME_ID
    package static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
