package import POSIX
package import Units

/// Where requests are sent: `http://HOST:PORT`, with an optional path.
package struct Target: Sendable, Equatable, CustomStringConvertible {
    package var address: SocketAddress
    package var path: String

    package init(address: SocketAddress, path: String) {
        self.address = address
        self.path = path
    }

    /// - Parameter defaultPath: the path when the text has none.
    /// - Throws: ``UnitTextError`` with the accepted form.
    package init(text: String, defaultPath: String) throws(UnitTextError) {
        let rest = text.hasPrefix("http://") ? text.dropFirst(7) : text[...]
        let host = rest.prefix { $0 != "/" }
        let path = String(rest[host.endIndex...])
        guard let address = SocketAddress(text: String(host)), let port = address.port, port != 0 else {
            throw UnitTextError(
                text: text,
                expected:
                    "an address: write http://HOST:PORT with a numeric address, as in http://127.0.0.1:8080 or http://[::1]:8080"
            )
        }
        self.init(address: address, path: path.isEmpty || path == "/" ? defaultPath : path)
    }

    package var description: String { "http://\(address)\(path)" }
}
