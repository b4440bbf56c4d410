internal import Glibc
package import POSIX
internal import Units

/// A lookup or write-back that failed: which call, on what connection, and what was said.
package struct MemcachedError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The step that failed.
    package enum Step: String, Sendable, CaseIterable {
        case socket, setsockopt, bind, connect, send, receive, timeout, reply
        /// None: no connection became free in time.
        case wait
        /// None: nobody waited for it any more before it was begun.
        case cancelled
    }

    package var step: Step
    package var code: ReturnCode
    /// The kernel's errno, or 0 when it was not a kernel call that failed.
    package var errno: CInt
    /// Source and destination as the dialer meant them; the source is nil for the kernel's choice.
    package var source: IPAddress?
    package var server: SocketAddress
    /// What memcached said, or how long was waited.
    package var detail: String

    package init(
        _ step: Step,
        code: ReturnCode = .errno,
        errno: CInt = 0,
        source: IPAddress? = nil,
        server: SocketAddress,
        detail: String = ""
    ) {
        self.step = step
        self.code = code
        self.errno = errno
        self.source = source
        self.server = server
        self.detail = detail
    }

    /// No answer, or not all of it, within the lookup timeout.
    /// - Parameter received: bytes that came, beyond those of values that were given out.
    package static func timeout(after timeout: Duration, server: SocketAddress, received: Int = 0) -> MemcachedError {
        let detail =
            received == 0
            ? "no answer within \(timeout.text)"
            : "no whole answer within \(timeout.text): \(received) bytes of one came"
        return MemcachedError(.timeout, code: .timeout, server: server, detail: detail)
    }

    /// No connection within the time that a lookup may wait for one.
    package static func noConnection(within time: Duration, server: SocketAddress, maxOpen: Int?) -> MemcachedError {
        let open = maxOpen.map { ": all \($0) are in use" } ?? ""
        return MemcachedError(.wait, server: server, detail: "no connection became free within \(time.text)\(open)")
    }

    /// Whether the connection failed, or was never made: another may do. What memcached said, or did not say in time, it
    /// would say again.
    package var isOfConnection: Bool {
        switch step {
        case .socket, .setsockopt, .bind, .connect, .send: true
        // Not where there was no memory for what it sent.
        case .receive: errno != ENOBUFS
        case .timeout, .reply, .wait, .cancelled: false
        }
    }

    /// A lookup that was not begun, as nobody waited for it any more.
    package static func cancelled(server: SocketAddress) -> MemcachedError {
        MemcachedError(.cancelled, server: server, detail: "not looked up, as nobody waits for it any more")
    }

    /// The one name the error is counted under: the errno's, `ETIMEDOUT` for a timeout, `EOF` for a
    /// connection memcached closed, `OPEN_WAIT` where no connection became free, `CANCELLED` for a lookup that was not
    /// begun, else libmemcached's code.
    package var name: String {
        if errno != 0 { return SystemCallError.name(of: errno) }
        switch step {
        case .timeout: return "ETIMEDOUT"
        case .receive: return "EOF"
        case .wait: return "OPEN_WAIT"
        case .cancelled: return "CANCELLED"
        default: return code.description
        }
    }

    /// Worded as the incident's log line was.
    package var description: String {
        let said = errno != 0 ? SystemCallError.text(of: errno) : detail.isEmpty ? code.text : detail
        let network = server.port == nil ? "" : "tcp "
        let route = network + (source.map { "\(IPEndpoint($0, port: 0))->\(server)" } ?? "\(server)")
        switch step {
        case .socket, .setsockopt, .bind, .connect: return "dial \(route): \(step): \(said)"
        case .send: return "write \(route): \(said)"
        case .receive: return "read \(route): \(said)"
        case .timeout, .reply, .wait, .cancelled: return "memcached \(server): \(said)"
        }
    }
}
