internal import POSIX

/// Which of a host's addresses connections are made to. Until one has taken a connection each batch tries them in turn;
/// from then on it is that one, so that all batches of a load meet the same server.
struct AddressChoice: Equatable {
    /// What a connect says to an address where nobody is, or that this machine has no way to.
    private static let elsewhere: Set = [
        "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ETIMEDOUT", "ENETDOWN",
    ]

    private let addresses: [SocketAddress]
    /// Index of the one that has taken a connection.
    private var known: Int?

    /// - Parameter addresses: one or more.
    init(_ addresses: [SocketAddress]) {
        self.addresses = addresses
        known = addresses.count == 1 ? 0 : nil
    }

    /// The address to connect to; the first before any is known.
    /// - Parameter failed: connects of the same batch that failed before.
    func address(after failed: Int = 0) -> SocketAddress { addresses[known ?? failed % addresses.count] }

    /// Whether a batch is to try another address.
    /// - Parameters:
    ///   - error: the name of what its connect failed with.
    ///   - failed: connects of the same batch that failed before.
    func hasAnother(after error: String, failed: Int) -> Bool {
        known == nil && failed + 1 < addresses.count && Self.elsewhere.contains(error)
    }

    /// An address has taken a connection.
    mutating func take(_ address: SocketAddress) {
        if known == nil { known = addresses.firstIndex(of: address) }
    }
}
