internal import POSIX

extension GroupedSockets {
    /// So many connections at one end, each towards another port that a dial may have got, were not dialled from there.
    private static let fewAccepted = 4

    /// Ends at which connections were accepted by a listener that is gone. It left them its port: many remote ends at one
    /// local one. For who dials it is the other way round, few remote ends and many local ones.
    var formerListeners: Set<IPEndpoint> {
        var ends: Set<IPEndpoint> = []
        for source in 0..<sourceCount {
            // A destination within the range may be somebody's ephemeral port; most services have theirs outside of it.
            let pairs = pairs(ofSource: source).filter {
                count(ofPair: $0) > 0 && range.usable.contains(self.pairs[$0].destination.port)
            }
            guard pairs.count >= Self.fewAccepted else { continue }
            var connections: [UInt16: Int] = [:]
            for pair in pairs { for socket in sockets(ofPair: pair) { connections[socket.port, default: 0] += 1 } }
            var accepted: [UInt16: Int] = [:]
            for pair in pairs {
                for socket in sockets(ofPair: pair) where count(ofPair: pair) * 2 <= connections[socket.port] ?? 0 {
                    accepted[socket.port, default: 0] += 1
                }
            }
            let address = self.pairs[pairs[0]].source
            for (port, count) in accepted where count >= Self.fewAccepted && count * 4 >= (connections[port] ?? 0) * 3 {
                ends.insert(IPEndpoint(address, port: port))
            }
        }
        return ends
    }
}
