internal import CConnectHook
internal import Glibc
internal import POSIX
internal import Synchronization

/// A dialled connection: the libmemcached handle and the descriptor inside it. Belongs to one
/// thread at a time; letting go of it closes it.
package final class Connection {
    package let handle: Handle
    package let descriptor: CInt
    /// Index into the ``ServerList``.
    package let server: Int
    /// Tells it from every other connection of the process, closed ones included.
    package let identifier = Connection.made.wrappingAdd(1, ordering: .relaxed).newValue
    private static let made = Atomic<UInt64>(0)
    /// Whose poller watches the descriptor, by a number the user gives; nil before the first.
    package var owner: Int?

    init(handle: consuming Handle, descriptor: CInt, server: Int) {
        self.handle = handle
        self.descriptor = descriptor
        self.server = server
    }

    /// Takes what has arrived of a reply off the socket, and says what it begins with.
    ///
    /// libmemcached reports an `ERROR` line and a stored `set` both as "not found", so the first
    /// bytes decide what a reply is. ``collect(_:_:)`` hands them on to it. recv(2)
    package func receive(into buffer: ReplyBuffer) -> Reply {
        buffer.count = 0
        let count = recv(descriptor, buffer.bytes.baseAddress, buffer.bytes.count, CInt(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN ? .nothing : .failed(errno: errno) }
        if count == 0 { return .closed }
        buffer.count = count
        return Reply(beginningWith: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
    }

    /// Whether anything has arrived, the end of the conversation included; takes nothing off the socket. recv(2) MSG_PEEK
    package var hasReply: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
        return count >= 0 || errno != EAGAIN
    }

    /// What memcached's text protocol can answer to `get` and `set` (protocol.txt).
    package enum Reply: Equatable {
        case value
        case end
        case stored
        /// Any other line, without its line end, and the code that libmemcached has for its kind.
        case error(ReturnCode, String)
        case closed
        case failed(errno: CInt)
        case nothing

        init(beginningWith bytes: UnsafeRawBufferPointer) {
            if bytes.starts(with: "VALUE ".utf8) {
                self = .value
            } else if bytes.starts(with: "END\r\n".utf8) {
                self = .end
            } else if bytes.starts(with: "STORED\r\n".utf8) {
                self = .stored
            } else {
                let line = bytes.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
                let text = String(decoding: line, as: UTF8.self)
                let code: ReturnCode =
                    text.hasPrefix("SERVER_ERROR")
                    ? .serverError : text.hasPrefix("CLIENT_ERROR") ? .clientError : .error
                self = .error(code, text)
            }
        }
    }

    /// Runs `body`, in which libmemcached must not dial: should the pooled connection turn out
    /// broken, the lookup fails, instead of a dial that no dialer steered and nobody counted.
    package func withoutDialling<Result>(_ body: (borrowing Handle) -> Result) -> Result {
        var policy = dial_policy(refuse: true)
        return withInstalled(&policy) { body(handle) }
    }

    /// Runs `body`, in which libmemcached fetches the reply that ``receive(into:)`` began.
    /// - Returns: what `body` returns, and whether all that was received belonged to the reply.
    package func collect<Result>(
        _ buffer: ReplyBuffer,
        _ body: (borrowing Handle) -> Result
    ) -> (result: Result, isWhole: Bool) {
        var policy = dial_policy(refuse: true)
        policy.received = UnsafeRawPointer(buffer.bytes.baseAddress)
        policy.received_count = buffer.count
        let result = withInstalled(&policy) { body(handle) }
        return (result, policy.received_count == 0)
    }
}

/// Where replies are received before libmemcached reads them; one a lane.
package final class ReplyBuffer {
    fileprivate let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    fileprivate var count = 0

    package init() {}

    deinit {
        bytes.deallocate()
    }
}

extension dial_policy {
    /// A policy that leaves everything as it is, or one that lets nothing be dialled.
    init(refuse: Bool) {
        self.init()
        adopt = -1
        pending = -1
        self.refuse = refuse ? 1 : 0
    }
}

/// Installs a policy for the calling thread while `body` runs.
func withInstalled<Result>(_ policy: inout dial_policy, _ body: () -> Result) -> Result {
    withUnsafeMutablePointer(to: &policy) { pointer in
        dial_policy_install(pointer)
        defer { dial_policy_install(nil) }
        return body()
    }
}
