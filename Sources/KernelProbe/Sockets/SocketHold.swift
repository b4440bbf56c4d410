/// How a socket holds its port: in which state, or for how much longer once its process is done with it. The longer, the
/// larger.
struct SocketHold: Comparable {
    /// Milliseconds left in TIME_WAIT; above them steps of what is left in FIN_WAIT2; above all of them the state's number.
    private let rawValue: UInt16

    private static let states: UInt16 = 0xfff0
    /// The longest the kernel keeps either, and how finely that is told of FIN_WAIT2.
    private static let longest: UInt32 = 60_000
    private static let step: UInt32 = 12

    /// - Parameters:
    ///   - state: the kernel's number for it.
    ///   - left: milliseconds that the kernel keeps it on its own account; 0 where it is a process's.
    init(state: UInt8, timeWaitLeft left: UInt32) {
        let left = min(left, Self.longest)
        rawValue =
            switch state {
            case TCPState.timeWait.rawValue: UInt16(left)
            // Closed here, and not yet by the other end: it waits as TIME_WAIT does. tcp_fin_timeout in tcp(7)
            case TCPState.finWait2.rawValue where left > 0: UInt16(Self.longest + 1 + left / Self.step)
            default: Self.states | UInt16(state & 15)
            }
    }

    /// That of a socket without a connection.
    static let unconnected = SocketHold(state: TCPState.close.rawValue, timeWaitLeft: 0)

    /// Whether a process has it, or the kernel on a process's account.
    var isOpen: Bool { rawValue >= Self.states }

    var isTimeWait: Bool { UInt32(rawValue) <= Self.longest }

    /// The kernel's number for its state.
    var state: UInt8 {
        isOpen ? UInt8(rawValue & 15) : isTimeWait ? TCPState.timeWait.rawValue : TCPState.finWait2.rawValue
    }

    /// Milliseconds until it is gone; nil for an open socket.
    var left: Int? {
        if isOpen { return nil }
        return isTimeWait ? Int(rawValue) : (Int(rawValue) - Int(Self.longest) - 1) * Int(Self.step)
    }

    /// Milliseconds since it closed; nil for an open socket.
    var age: Int? { left.map { max(0, PortPool.seconds * 1000 - $0) } }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
