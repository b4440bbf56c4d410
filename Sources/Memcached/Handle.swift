internal import CConnectHook
internal import CMemcached
internal import Glibc
package import POSIX
internal import Units

/// A libmemcached handle for one server: it holds at most one connection, and one thread
/// uses it at a time. About 18 KB, 23 KB once connected.
package struct Handle: ~Copyable {
    private let pointer: UnsafeMutablePointer<memcached_st>
    /// Of its connection; given back once that is closed, as what is below is done before.
    var slot: ConnectionSlot?

    /// A handle to copy others from; it is never connected itself.
    /// - Parameter timeout: bounds the waits inside libmemcached, for room to send in.
    package init(server: SocketAddress, timeout: Duration) {
        pointer = memcached_create(nil)
        let milliseconds = UInt64(clamping: max(1, timeout.wholeNanoseconds / 1_000_000))
        for (behavior, value) in [
            // A reply is collected when it is there, so requests are sent without waiting for one.
            (MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1),
            (MEMCACHED_BEHAVIOR_TCP_NODELAY, 1),
            (MEMCACHED_BEHAVIOR_POLL_TIMEOUT, milliseconds),
            // Otherwise a failed dial hides the next errno behind SERVER_TEMPORARILY_DISABLED.
            (MEMCACHED_BEHAVIOR_SERVER_TIMEOUT_LIMIT, UInt64(UInt32.max)),
        ] {
            memcached_behavior_set(pointer, behavior, value)
        }
        Self.add(server, to: pointer)
    }

    /// A copy of another handle's settings, not connected. memcached_clone(3)
    package init(copying template: borrowing Handle) {
        pointer = memcached_clone(nil, template.pointer)
    }

    deinit {
        // Without libmemcached's `quit`, which would let memcached close first: as with Go's Close, our close() ends
        // the conversation, so that TIME_WAIT falls on our side.
        var policy = dial_policy(refuse: true)
        policy.closing = 1
        withInstalled(&policy) { memcached_free(pointer) }
    }

    static func add(_ address: SocketAddress, to handle: UnsafeMutablePointer<memcached_st>) {
        switch address {
        case .ipv4(let host, let port): memcached_server_add(handle, host.description, port)
        case .ipv6(let host, let port): memcached_server_add(handle, host.description, port)
        case .unix(let path): memcached_server_add_unix_socket(handle, path)
        }
    }

    /// Sends a `get` for the keys and returns without waiting for the reply; dials first if it must. memcached_mget(3)
    package func sendGet(
        keys: UnsafeMutablePointer<UnsafePointer<CChar>?>,
        lengths: UnsafePointer<Int>,
        count: Int
    ) -> ReturnCode {
        ReturnCode(memcached_mget(pointer, keys, lengths, count))
    }

    /// Sends a `set` that never expires and returns without waiting for the reply; dials first if it must. memcached_set(3)
    package func sendSet(key: UnsafeBufferPointer<CChar>, value: [UInt8]) -> ReturnCode {
        let code = value.withUnsafeBytes { bytes in
            memcached_set(
                pointer,
                key.baseAddress,
                key.count,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count,
                0,
                0
            )
        }
        guard ReturnCode(code) == .buffered else { return ReturnCode(code) }
        return ReturnCode(memcached_flush_buffers(pointer))
    }

    /// The errno of the last failure, or 0. memcached_last_error_errno(3)
    package var lastErrno: CInt { memcached_last_error_errno(pointer) }

    /// Collects the next value of a reply, or nil at its end. memcached_fetch_result(3)
    package func nextValue(into buffer: borrowing ValueBuffer) -> (value: FetchedValue?, code: ReturnCode) {
        var code = MEMCACHED_SUCCESS
        guard let result = memcached_fetch_result(pointer, buffer.pointer, &code) else {
            return (nil, ReturnCode(code))
        }
        return (FetchedValue(result), ReturnCode(code))
    }
}

/// Where libmemcached puts a value it fetched: one a lane, used for each connection in turn.
package struct ValueBuffer: ~Copyable {
    // Not allocated by libmemcached, which would free it at the end of each reply.
    fileprivate let pointer: UnsafeMutablePointer<memcached_result_st>
    private let root: UnsafeMutablePointer<memcached_st>

    package init() {
        root = memcached_create(nil)
        pointer = .allocate(capacity: 1)
        memcached_result_create(root, pointer)
    }

    /// Gives back the memory that values took.
    func reset() {
        memcached_result_free(pointer)
        memcached_result_create(root, pointer)
    }

    deinit {
        memcached_result_free(pointer)
        pointer.deallocate()
        memcached_free(root)
    }
}

/// A value as it lies in a ``ValueBuffer``; valid until the next fetch into it.
package struct FetchedValue {
    private let result: UnsafeMutablePointer<memcached_result_st>

    fileprivate init(_ result: UnsafeMutablePointer<memcached_result_st>) {
        self.result = result
    }

    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memcached_result_value(result), count: memcached_result_length(result))
    }
}
