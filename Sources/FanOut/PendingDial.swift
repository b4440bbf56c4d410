internal import Memcached
internal import POSIX

/// A dial whose connection is not established yet.
final class PendingDial {
    let dial: Dial
    private var descriptor: Descriptor?
    private var slot: ConnectionSlot?
    let rawDescriptor: CInt

    init(_ dial: Dial, _ descriptor: consuming Descriptor, _ slot: consuming ConnectionSlot?) {
        self.dial = dial
        rawDescriptor = descriptor.rawValue
        self.descriptor = consume descriptor
        self.slot = consume slot
    }

    /// The slot of its connection, once.
    func takeSlot() -> ConnectionSlot? {
        slot.take()
    }

    /// The descriptor, once.
    func take() -> Descriptor {
        descriptor.take()!
    }
}
