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
    /// What of the request found no room in the socket: ``sendRest()`` sends it.
    package private(set) var unsent: [UInt8]

    init(handle: consuming Handle, descriptor: CInt, server: Int, unsent: [UInt8]) {
        self.unsent = unsent
        self.handle = handle
        self.descriptor = descriptor
        self.server = server
    }

    /// What has arrived on the connection and was not received.
    package enum Arrived {
        case nothing
        case bytes
        /// The end of the conversation, well or otherwise.
        case end
    }

    /// Takes nothing off the socket. recv(2) MSG_PEEK
    package var arrived: Arrived {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT))
        if count > 0 { return .bytes }
        return count < 0 && errno == EAGAIN ? .nothing : .end
    }

    private static let quitCommand = Array("quit\r\n".utf8)

    /// Asks memcached to close the connection; when it has, ``arrived`` is the end. protocol.txt, send(2)
    /// - Returns: false when that could not be sent.
    package func askToClose() -> Bool {
        let count = Self.quitCommand.count
        return send(descriptor, Self.quitCommand, count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL)) == count
    }

    /// Runs `body`, in which libmemcached must not dial: should the pooled connection turn out
    /// broken, the lookup fails, instead of a dial that no dialer steered and nobody counted.
    package func withoutDialling<Result>(_ body: (borrowing Handle) -> Result) -> Result {
        var policy = dial_policy(refuse: true)
        let result = withInstalled(&policy) { body(handle) }
        if policy.unsent_count > 0 { unsent = policy.takeUnsent() }
        return result
    }

    /// Sends what there is room for now of a request that is not sent whole; ``unsent`` is what is left. send(2)
    /// - Returns: 0, or the errno of a connection that is broken.
    package func sendRest() -> CInt {
        while !unsent.isEmpty {
            let sent = send(descriptor, unsent, unsent.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
            if sent < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? 0 : errno
            }
            unsent.removeFirst(sent)
        }
        return 0
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

    /// What found no room to be sent in; nearly always nothing.
    mutating func takeUnsent() -> [UInt8] {
        guard let bytes = unsent else { return [] }
        defer {
            free(bytes)
            unsent = nil
            unsent_count = 0
        }
        return Array(UnsafeRawBufferPointer(start: bytes, count: unsent_count))
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
