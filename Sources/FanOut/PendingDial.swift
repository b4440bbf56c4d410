internal import Memcached
internal import POSIX

/// A dial whose connection is not established yet.
final class PendingDial {
    let dial: Dial
    private var descriptor: Descriptor?
    let rawDescriptor: CInt

    init(_ dial: Dial, _ descriptor: consuming Descriptor) {
        self.dial = dial
        rawDescriptor = descriptor.rawValue
        self.descriptor = consume descriptor
    }

    /// The descriptor, once.
    func take() -> Descriptor {
        descriptor.take()!
    }
}
