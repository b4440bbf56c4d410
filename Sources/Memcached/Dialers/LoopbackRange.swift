package import POSIX

extension IPv4Address {
    /// The addresses of 127.0.0.0/8 that a connection can come from: all but the network's own
    /// first and its broadcast address, 16,777,214 of them.
    package static let usableLoopback: ClosedRange<UInt32> = 0x7f00_0001...0x7fff_fffe

    /// One of ``usableLoopback``, each equally likely.
    package static func randomLoopback(using generator: inout some RandomNumberGenerator) -> IPv4Address {
        IPv4Address(value: .random(in: usableLoopback, using: &generator))
    }

    /// One of ``usableLoopback`` but for one, each equally likely.
    package static func randomLoopback(
        except left: IPv4Address,
        using generator: inout some RandomNumberGenerator
    ) -> IPv4Address {
        let value = UInt32.random(in: usableLoopback.lowerBound...usableLoopback.upperBound - 1, using: &generator)
        return IPv4Address(value: value < left.value ? value : value + 1)
    }
}
