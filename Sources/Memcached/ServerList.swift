internal import CMemcached
package import POSIX
package import Units

/// The memcached servers of a deployment, and which of them keeps a key.
///
/// With one server there is nothing to choose. With several, libmemcached's ketama ring
/// chooses, so that every client with the same list agrees (weights are equal).
package final class ServerList: Sendable {
    package let addresses: [SocketAddress]

    // Safe: written only in init and deinit; memcached_generate_hash takes it as const.
    private nonisolated(unsafe) let ring: UnsafeMutablePointer<memcached_st>

    /// Reads `host:port`, `[address]:port` or `unix:/path` entries with commas between them.
    /// - Throws: ``UnitTextError`` naming the entry that is wrong.
    package convenience init(text: String) throws(UnitTextError) {
        var addresses: [SocketAddress] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let text = String(entry)
            let address = SocketAddress(text: text) ?? IPEndpoint(text: text).map { SocketAddress($0) }
            guard let address, address.port != 0 else {
                throw UnitTextError(
                    text: text,
                    expected: "a memcached address: write HOST:PORT with a numeric address, [ADDRESS]:PORT for IPv6, "
                        + "or unix:/path"
                )
            }
            addresses.append(address)
        }
        self.init(addresses)
    }

    /// - Parameter addresses: one or more.
    package init(_ addresses: [SocketAddress]) {
        precondition(!addresses.isEmpty, "a server list has at least one server")
        self.addresses = addresses
        ring = memcached_create(nil)
        memcached_behavior_set(ring, MEMCACHED_BEHAVIOR_KETAMA, 1)
        for address in addresses { Handle.add(address, to: ring) }
    }

    deinit {
        memcached_free(ring)
    }

    /// Whether a dialer has a say in dials to any of the servers.
    package func has(addressesOf dialer: Dialer) -> Bool { addresses.contains { dialer.hasAddresses(towards: $0) } }

    /// Whether a server is dialled over TCP, and takes ports.
    package var hasTCP: Bool { addresses.contains { $0.port != nil } }

    /// Index into ``addresses`` of the server that keeps `key`. memcached_generate_hash(3)
    package func index(of key: UnsafeBufferPointer<CChar>) -> Int {
        addresses.count == 1 ? 0 : Int(memcached_generate_hash(ring, key.baseAddress, key.count))
    }

    /// The server that a key belongs to, as libmemcached chooses it.
    package func index(of key: String) -> Int {
        var key = key
        return key.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { index(of: $0) }
        }
    }
}
