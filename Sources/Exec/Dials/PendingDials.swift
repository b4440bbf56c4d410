internal import CLinux
internal import Glibc
internal import KernelProbe
internal import POSIX
internal import Synchronization

/// Follows dials that are on their way until their outcome is known, without taking it from the program: SO_ERROR is
/// read once only, so it is left alone, and what TCP says of the socket is looked at instead. tcp(7) TCP_INFO
///
/// A duplicate of the descriptor is held meanwhile, which would keep a socket alive that the program has closed: so
/// whether the program still has it is asked again and again. kcmp(2)
final class PendingDials: Sendable {
    /// A dial on its way.
    struct Dial: Sendable {
        let thread: pid_t
        /// The number the program has for it.
        let descriptor: CInt
        let source: IPEndpoint?
        let destination: IPEndpoint
    }

    private struct Followed {
        let dial: Dial
        let descriptor: CInt
    }

    private static let look = Duration.milliseconds(20)
    private let poller: Poller
    private let dials = Mutex<[UInt64: Followed]>([:])
    private let next = Atomic<UInt64>(0)
    /// The most that are followed; the outcome of others stays unknown.
    private let limit = max(64, DescriptorLimit.current.soft - 512)

    init() throws(SystemCallError) {
        poller = try Poller()
    }

    /// Takes over a dial and the duplicate of its descriptor.
    func add(_ dial: Dial, _ descriptor: consuming Descriptor) {
        let token = next.add(1, ordering: .relaxed).newValue
        let raw = descriptor.release()
        let before = dials.withLock { dials in
            guard dials.count < limit else { return limit }
            dials[token] = Followed(dial: dial, descriptor: raw)
            return dials.count - 1
        }
        guard before < limit else {
            close(raw)
            return
        }
        // Ready at once when it has ended meanwhile. If it cannot be watched, the looks will find it.
        try? poller.add(raw, .writable, token: token)
        if before == 0 { poller.wake() }
    }

    /// Calls `body` with each dial that has ended, for as long as the process lives.
    func follow(_ body: (Dial, DialAccount.Outcome) -> Void) {
        var nextLook = MonotonicInstant.now
        while true {
            poller.wait(until: dials.withLock { $0.isEmpty } ? nil : nextLook) { event in
                let followed = dials.withLock { $0[event.token] }
                if let followed { examine(event.token, followed, body) }
            }
            let began = MonotonicInstant.now
            guard began >= nextLook else { continue }
            for (token, followed) in dials.withLock({ $0 }) { examine(token, followed, body) }
            // Looking takes a tenth of this thread's time at the most.
            nextLook = .now + max(Self.look, (.now - began) * 10)
        }
    }

    private func examine(_ token: UInt64, _ followed: Followed, _ body: (Dial, DialAccount.Outcome) -> Void) {
        var start = linux_tcp_start_info()
        let isKnown = linux_tcp_start(followed.descriptor, &start) == 0
        let outcome: DialAccount.Outcome
        if isKnown, start.state != LINUX_TCP_SYN_SENT.rawValue {
            outcome = DialAccount.Outcome(of: start, to: followed.dial.destination)
        } else if linux_is_same_file(followed.descriptor, followed.dial.thread, followed.dial.descriptor) == 0 {
            outcome = .abandoned
        } else {
            return
        }
        guard dials.withLock({ $0.removeValue(forKey: token) }) != nil else { return }
        // The program may keep the socket: closing a duplicate would not end the watch.
        try? poller.remove(followed.descriptor)
        close(followed.descriptor)
        body(followed.dial, outcome)
    }
}

extension DialAccount.Outcome {
    /// SYNs sent again before a connect() ends in ETIMEDOUT; the kernel's default where it cannot be read.
    private static let synRetries = Int32((try? Sysctl.read("net.ipv4.tcp_syn_retries")) ?? "") ?? 6

    /// The outcome of a dial that is no longer on its way. The errno of a failure is the program's to fetch; over
    /// loopback only a refusal or the end of all retries can end a dial, elsewhere the network has further reasons.
    init(of start: linux_tcp_start_info, to destination: IPEndpoint) {
        if start.was_connected != 0 || start.state != LINUX_TCP_CLOSE.rawValue {
            self = .connected
        } else if start.retransmits >= Self.synRetries {
            self = .failed(.connect, errno: ETIMEDOUT)
        } else {
            self = .failed(.connect, errno: destination.address.isLoopback ? ECONNREFUSED : nil)
        }
    }
}
