internal import CLinux
internal import Glibc
internal import Units

/// Waits for sockets to become ready, on one thread, and can be woken from any other.
///
/// Every watch is edge-triggered: it reports when something arrives, and not again for what has
/// been reported, so a connection that is idle in a pool cannot spin its owner. epoll(7)
package struct Poller: ~Copyable, Sendable {
    /// What became of a watched descriptor; `token` is the caller's own.
    package struct Event {
        package var token: UInt64
        fileprivate var flags: UInt32

        /// The other end sends no more: EPOLLRDHUP.
        package var isEnded: Bool { flags & EPOLLRDHUP.rawValue != 0 }
        /// Reset, or ended on both sides: EPOLLERR, EPOLLHUP.
        package var isBroken: Bool { flags & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 }
    }

    private static let wakeToken = UInt64.max

    private let epoll: Descriptor
    private let wakeup: Descriptor

    /// - Throws: ``SystemCallError`` from epoll_create1 or eventfd.
    package init() throws(SystemCallError) {
        let epoll = Descriptor(
            owning: CInt(try systemCall("epoll_create1") { Int(epoll_create1(CInt(EPOLL_CLOEXEC))) })
        )
        let flags = CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)
        let wakeup = Descriptor(owning: CInt(try systemCall("eventfd") { Int(eventfd(0, flags)) }))
        try Self.control(epoll, EPOLL_CTL_ADD, wakeup.rawValue, EPOLLIN.rawValue, Self.wakeToken)
        self.epoll = epoll
        self.wakeup = wakeup
    }

    /// Watches a descriptor until it is removed or closed. epoll_ctl(2) EPOLL_CTL_ADD
    package func add(_ descriptor: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
        try Self.control(epoll, EPOLL_CTL_ADD, descriptor, interest.flags, token)
    }

    /// Reports a watched descriptor again if it is ready now: for one that was not read to its end. epoll_ctl(2)
    /// EPOLL_CTL_MOD
    package func rearm(_ descriptor: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
        try Self.control(epoll, EPOLL_CTL_MOD, descriptor, interest.flags, token)
    }

    /// Forgets a descriptor; may be called from any thread. epoll_ctl(2) EPOLL_CTL_DEL
    package func remove(_ descriptor: CInt) throws(SystemCallError) {
        try Self.control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Returns from ``wait(until:_:)`` at once; may be called from any thread. eventfd(2)
    package func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(wakeup.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Calls `body` for each ready descriptor; waits for the first until `deadline` (nil: without limit). epoll_wait(2)
    package func wait(until deadline: MonotonicInstant?, _ body: (Event) -> Void) {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 256) { events in
            let count = wait(until: deadline, into: events)
            for event in events[..<count] {
                if event.data.u64 == Self.wakeToken {
                    var value: UInt64 = 0
                    _ = Glibc.read(wakeup.rawValue, &value, MemoryLayout<UInt64>.size)
                } else {
                    body(Event(token: event.data.u64, flags: event.events))
                }
            }
        }
    }

    private func wait(until deadline: MonotonicInstant?, into events: UnsafeMutableBufferPointer<epoll_event>) -> Int {
        var timeout: CInt = -1
        if let deadline {
            // Rounded up, so that a deadline is over when its wait is.
            let left = max(0, (deadline - .now).wholeNanoseconds)
            timeout = CInt(clamping: (left + 999_999) / 1_000_000)
        }
        let count = epoll_wait(epoll.rawValue, events.baseAddress, CInt(events.count), timeout)
        return max(0, Int(count))
    }

    private static func control(
        _ epoll: borrowing Descriptor,
        _ operation: CInt,
        _ descriptor: CInt,
        _ flags: UInt32,
        _ token: UInt64
    ) throws(SystemCallError) {
        var event = epoll_event(events: flags, data: epoll_data_t(u64: token))
        let epoll = epoll.rawValue
        try systemCall("epoll_ctl") { Int(epoll_ctl(epoll, operation, descriptor, &event)) }
    }

    /// What to wait for on a descriptor.
    package enum Interest: Sendable {
        case readable
        case writable
        case both

        fileprivate var flags: UInt32 {
            let reading = EPOLLIN.rawValue | EPOLLRDHUP.rawValue
            return EPOLLET.rawValue
                | {
                    switch self {
                    case .readable: reading
                    case .writable: EPOLLOUT.rawValue
                    case .both: reading | EPOLLOUT.rawValue
                    }
                }()
        }
    }
}
