internal import CLinux
internal import Glibc
package import POSIX
internal import Synchronization
internal import Units

/// Makes the connects and binds of a command for it, on the very sockets it has, and accounts for them.
///
/// Each call is handed over by the kernel and waits. It is made here, on a duplicate of the socket's descriptor, so
/// that its result is the one the program gets; a connect that would block is left to the kernel once it is on its
/// way, and followed by ``PendingDials``. Only TCP over IPv4 and IPv6 is looked into. Calls on sockets that are no dials
/// (a second connect() to learn of the first, a bind() to a port by number) are left to the kernel.
package final class Interceptor: Sendable {
    private let listener: Descriptor
    private let state: Mutex<State>
    private let pending: PendingDials
    private let turn = Mutex(())
    private let onShortage: @Sendable () -> Void

    private struct State {
        var account = DialAccount()
        var policy: DialPolicy
        /// Calls that wait until a dial in progress has ended.
        var held: [linux_notification] = []
        var hasBeenShort = false
    }

    /// - Parameters:
    ///   - listener: where the calls arrive.
    ///   - onShortage: called once, when a dial has failed for want of a port and before the program is told.
    /// - Throws: ``SystemCallError`` when its poller cannot be made.
    package init(
        _ listener: consuming Descriptor,
        _ policy: DialPolicy,
        onShortage: @escaping @Sendable () -> Void
    ) throws(SystemCallError) {
        self.onShortage = onShortage
        linux_wake_in_turn(listener.rawValue)
        self.listener = listener
        state = Mutex(State(policy: policy))
        pending = try PendingDials()
    }

    /// Starts its threads; they end when the last process of the command has.
    /// - Throws: ``SystemCallError`` when one cannot be started.
    package func start() throws(SystemCallError) {
        try Thread(name: "dials") { [self] in answerCalls() }.detach()
        try Thread(name: "pending-dials") { [self] in
            pending.follow { dial, outcome in conclude(dial, outcome) }
        }.detach()
    }

    /// What has come of the dials so far.
    package var account: DialAccount { state.withLock { $0.account } }

    package var policy: DialPolicy {
        get { state.withLock { $0.policy } }
        set {
            state.withLock { $0.policy = newValue }
            releaseHeld()
        }
    }

    private func answerCalls() {
        var worker = CallWorker(listener: listener.rawValue)
        while true {
            var ready = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, -1) >= 0 || errno == EINTR else { return }
            if ready.revents & Int16(POLLIN) == 0 {
                // The last process under the filter is gone.
                if ready.revents != 0 { return }
                continue
            }
            var call = linux_notification()
            guard linux_receive_notification(listener.rawValue, &call) == 0 else { continue }
            answer(call, &worker)
        }
    }

    private func answer(_ call: linux_notification, _ worker: inout CallWorker) {
        switch call.call {
        case LINUX_CONNECT: connect(call, &worker)
        case LINUX_BIND: bind(call, &worker)
        case LINUX_IO_URING_SETUP:
            state.withLock { $0.account.noteRing() }
            worker.answer(call, ENOSYS)
        default:
            state.withLock { $0.account.noteForeign() }
            worker.leave(call)
        }
    }

    private func connect(_ call: linux_notification, _ worker: inout CallWorker) {
        let socket: CallWorker.Examined
        switch worker.examine(call) {
        case .notOurs: return worker.leave(call)
        case .unseen:
            state.withLock { $0.account.noteUnseen() }
            return worker.leave(call)
        case .socket(let examined): socket = examined
        }
        // EINPROGRESS answered before, or an error to fetch: no new dial.
        if worker.isUnderWay(socket) {
            worker.release(socket)
            return worker.leave(call)
        }
        // Under a limit one at a time: none passes it while another is made.
        let isLimited = state.withLock { $0.policy.maxDialling != nil }
        let made = isLimited ? turn.withLock { _ in dial(call, socket, &worker) } : dial(call, socket, &worker)
        guard let dial = made else { return worker.release(socket) }
        guard case .pending = dial.progress else {
            worker.release(socket)
            noteFailure(dial.answer)
            return worker.answer(call, dial.answer)
        }
        let followed = PendingDials.Dial(
            thread: call.thread,
            descriptor: call.descriptor,
            source: dial.source,
            destination: dial.destination
        )
        pending.add(followed, Descriptor(owning: socket.descriptor))
        // A blocking connect() waits in the kernel as it would have, open to signals and timeouts.
        if dial.answer == EINPROGRESS { worker.answer(call, EINPROGRESS) } else { worker.leave(call) }
    }

    /// Makes a dial and accounts for it; nil for one that has to wait.
    private func dial(
        _ call: linux_notification,
        _ socket: CallWorker.Examined,
        _ worker: inout CallWorker
    ) -> CallWorker.Dial? {
        let policy: DialPolicy? = state.withLock { state in
            if let limit = state.policy.maxDialling, state.account.total.inProgress >= limit {
                state.account.noteHeld()
                state.held.append(call)
                return nil
            }
            state.account.begin(at: .now)
            return state.policy
        }
        guard let policy else { return nil }
        let dial = worker.dial(socket, policy)
        state.withLock { state in
            if dial.isInjected { state.account.noteInjected() }
            if !dial.isRouted { state.account.noteUnrouted() }
            switch dial.progress {
            case .ended(let outcome): state.account.end(outcome, from: dial.source, to: dial.destination)
            case .pending: state.account.progress(from: dial.source, to: dial.destination)
            }
        }
        return dial
    }

    private func bind(_ call: linux_notification, _ worker: inout CallWorker) {
        guard case .socket(let socket) = worker.examine(call) else { return worker.leave(call) }
        guard socket.address.endpoint.port == 0, !worker.isUnderWay(socket) else {
            worker.release(socket)
            return worker.leave(call)
        }
        let policy = state.withLock { $0.policy }
        let bound = worker.bind(socket, policy)
        worker.release(socket)
        if bound.error != 0 {
            state.withLock { state in
                if bound.isInjected { state.account.noteInjected() }
                guard bound.isDial else { return }
                state.account.begin(at: .now)
                state.account.end(.failed(.bind, errno: bound.error), from: bound.source, to: nil)
            }
        }
        noteFailure(bound.error)
        worker.answer(call, bound.error)
    }

    private func noteFailure(_ error: CInt) {
        guard error == EADDRINUSE || error == EADDRNOTAVAIL else { return }
        let isFirst = state.withLock { state in
            guard !state.hasBeenShort else { return false }
            state.hasBeenShort = true
            return true
        }
        if isFirst { onShortage() }
    }

    /// A dial in progress has ended.
    private func conclude(_ dial: PendingDials.Dial, _ outcome: DialAccount.Outcome) {
        state.withLock { $0.account.conclude(outcome, from: dial.source, to: dial.destination) }
        releaseHeld()
    }

    /// Makes the calls that waited, as far as the policy lets them.
    private func releaseHeld() {
        var worker = CallWorker(listener: listener.rawValue)
        while true {
            let next: linux_notification? = state.withLock { state in
                guard !state.held.isEmpty, state.account.total.inProgress < state.policy.maxDialling ?? .max else {
                    return nil
                }
                return state.held.removeFirst()
            }
            guard let next else { return }
            connect(next, &worker)
        }
    }
}
