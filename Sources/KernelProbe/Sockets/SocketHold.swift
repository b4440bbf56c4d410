/// How a socket holds its port: in which state, or for how much longer in TIME_WAIT. The longer, the larger.
struct SocketHold: Comparable {
    /// Milliseconds left in TIME_WAIT, or the state's number above all of them.
    private let rawValue: UInt16

    private static let states: UInt16 = 0xfff0

    /// - Parameters:
    ///   - state: the kernel's number for it.
    ///   - left: milliseconds left in TIME_WAIT.
    init(state: UInt8, timeWaitLeft left: UInt32) {
        rawValue =
            state == TCPState.timeWait.rawValue
            ? UInt16(min(left, UInt32(Self.states) - 1)) : Self.states | UInt16(state & 15)
    }

    /// That of a socket without a connection.
    static let unconnected = SocketHold(state: TCPState.close.rawValue, timeWaitLeft: 0)

    /// Whether it is in any state but TIME_WAIT.
    var isOpen: Bool { rawValue >= Self.states }

    /// The kernel's number for its state.
    var state: UInt8 { isOpen ? UInt8(rawValue & 15) : TCPState.timeWait.rawValue }

    /// Milliseconds left in TIME_WAIT; nil for an open socket.
    var timeWaitLeft: Int? { isOpen ? nil : Int(rawValue) }

    /// Milliseconds since it closed; nil for an open socket.
    var age: Int? { timeWaitLeft.map { max(0, PortPool.seconds * 1000 - $0) } }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
