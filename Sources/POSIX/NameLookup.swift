internal import Glibc

/// The addresses of host names.
package enum NameLookup {
    /// All addresses of a name, IPv4's first: a machine without IPv6 may know IPv6 addresses all the same. Each is in it
    /// once; empty when it has none, or nobody knows. getaddrinfo(3)
    ///
    /// `localhost`, and what ends with it, is loopback on every machine (RFC 6761 section 6.3).
    package static func addresses(of name: String) -> [IPAddress] {
        if isLocalhost(name) { return [IPAddress(.loopback), .ipv6Loopback] }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
                continue
            }
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
            }
            guard let endpoint = SocketAddress(storage)?.endpoint, !found.contains(endpoint.address) else { continue }
            found.append(endpoint.address)
        }
        return found.filter { $0.family == .ipv4 } + found.filter { $0.family == .ipv6 }
    }

    private static func isLocalhost(_ name: String) -> Bool {
        let name = name.lowercased()
        let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
        return bare == "localhost" || bare.hasSuffix(".localhost")
    }
}
