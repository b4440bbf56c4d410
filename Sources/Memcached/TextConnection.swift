package import POSIX

/// What goes wrong on a plain connection to memcached.
package enum TextProtocolError: Error, CustomStringConvertible {
    case system(SystemCallError)
    case closed
    case unexpected(String)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .closed: "memcached closed the connection, or did not answer in time"
        case .unexpected(let line): "memcached answered '\(line)'"
        }
    }
}

/// A plain blocking connection in memcached's text protocol (protocol.txt), for what is not part of
/// the measurement: filling the cache beforehand, and asking memcached what it counted.
package struct TextConnection: ~Copyable {
    private let socket: Socket
    private var buffer: [UInt8] = []
    private var start = 0

    /// - Parameter source: address to connect from; nil leaves it to the kernel.
    package init(to address: SocketAddress, from source: IPv4Address? = nil) throws(TextProtocolError) {
        do {
            socket = try Socket.connected(to: address, from: source, timeout: .seconds(5))
        } catch {
            throw .system(error)
        }
    }

    /// memcached's counters. protocol.txt, "General-purpose statistics"
    package mutating func statistics() throws(TextProtocolError) -> [String: String] {
        try send(Array("stats\r\n".utf8))
        var values: [String: String] = [:]
        while true {
            let line = try line()
            if line == "END" { return values }
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0] == "STAT" else { throw .unexpected(line) }
            values[String(words[1])] = words.count == 3 ? String(words[2]) : ""
        }
    }

    /// Sets values that never expire, and waits until memcached has stored each.
    package mutating func set(_ items: [(key: String, value: [UInt8])]) throws(TextProtocolError) {
        var request: [UInt8] = []
        for item in items {
            request += "set \(item.key) 0 0 \(item.value.count)\r\n".utf8
            request += item.value
            request += "\r\n".utf8
        }
        try send(request)
        for _ in items {
            let line = try line()
            guard line == "STORED" else { throw .unexpected(line) }
        }
    }

    private func send(_ bytes: [UInt8]) throws(TextProtocolError) {
        var sent = 0
        while sent < bytes.count {
            let result: IOResult
            do {
                result = try socket.descriptor.write(bytes[sent...])
            } catch {
                throw .system(error)
            }
            guard case .done(let count) = result else { throw .closed }
            sent += count
        }
    }

    private mutating func line() throws(TextProtocolError) -> String {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[start..<end].filter { $0 != UInt8(ascii: "\r") }
                start = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            buffer.removeFirst(start)
            start = 0
            let more: [UInt8]
            do {
                more = try socket.descriptor.readSome(upTo: 64 << 10)
            } catch {
                throw .system(error)
            }
            guard !more.isEmpty else { throw .closed }
            buffer += more
        }
    }
}
