package import Memcached
package import POSIX
internal import PostRecords

/// Fills memcached with the posts of a workload, as the server itself would have set them.
package enum Preload {
    private static let chunk = 500

    /// Stores every post on the server that keeps its key, and returns how many there were.
    /// - Parameters:
    ///   - sizes: of the values.
    ///   - source: address to connect from; nil leaves it to the kernel.
    /// - Throws: ``TextProtocolError``
    @discardableResult
    package static func run(
        _ workload: Workload,
        into servers: ServerList,
        sizes: ValueSizes = .posts,
        from source: IPv4Address? = nil
    ) throws(TextProtocolError) -> Int {
        var byServer: [[(uri: String, bytes: Int?)]] = Array(repeating: [], count: servers.addresses.count)
        for (number, uri) in workload.uris.enumerated() {
            byServer[servers.index(of: uri)].append((uri, sizes.bytes(seed: workload.seed, number: number)))
        }
        for (server, uris) in byServer.enumerated() where !uris.isEmpty {
            var connection = try TextConnection(to: servers.addresses[server], from: source)
            for start in stride(from: 0, to: uris.count, by: chunk) {
                let items = uris[start..<min(start + chunk, uris.count)].map { uri, bytes in
                    (key: uri, value: SyntheticPost.cacheValue(for: uri, bytes: bytes))
                }
                try connection.set(items)
            }
        }
        return workload.count
    }
}
