package import POSIX
internal import Units

/// What goes wrong on a plain connection to memcached.
package enum TextProtocolError: Error, CustomStringConvertible {
    case system(SystemCallError)
    /// It did not answer, or not all of it, within this time.
    case timeout(Duration)
    /// It closed the connection before its answer was whole.
    case closed
    case unexpected(String)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .timeout(let time): "memcached did not answer within \(time.text)"
        case .closed: "memcached closed the connection before its answer was whole"
        case .unexpected(let line): "memcached answered '\(line)'"
        }
    }
}

/// A plain blocking connection in memcached's text protocol (protocol.txt), for what is not part of
/// the measurement: filling the cache beforehand, and asking memcached what it counted.
///
/// Whatever the other end sends, a call ends in time and keeps no more than a bounded answer.
package struct TextConnection: ~Copyable {
    /// From the beginning of a call to its end, however the bytes come.
    package static let timeout = Duration.seconds(5)
    /// Statistics of one answer; memcached has about a hundred.
    private static let maxStatistics = 4096

    private let socket: Socket
    private var buffer: [UInt8] = []
    private var start = 0

    /// - Parameter source: address to connect from; nil leaves it to the kernel.
    package init(to address: SocketAddress, from source: IPv4Address? = nil) throws(TextProtocolError) {
        do {
            socket = try Socket.connected(to: address, from: source.map { IPAddress($0) }, timeout: Self.timeout)
        } catch {
            throw .system(error)
        }
    }

    /// memcached's counters. protocol.txt, "General-purpose statistics"
    package mutating func statistics() throws(TextProtocolError) -> [String: String] {
        let deadline = MonotonicInstant.now + Self.timeout
        try send(Array("stats\r\n".utf8), until: deadline)
        var values: [String: String] = [:]
        for _ in 0..<Self.maxStatistics {
            let line = try line(until: deadline)
            if line == "END" { return values }
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0] == "STAT" else { throw .unexpected(ReplyFault.quoted(line.utf8)) }
            values[String(words[1])] = words.count == 3 ? String(words[2]) : ""
        }
        throw .unexpected("more than \(Self.maxStatistics) statistics")
    }

    /// Sets values that never expire, and waits until memcached has stored each.
    package mutating func set(_ items: [(key: String, value: [UInt8])]) throws(TextProtocolError) {
        let deadline = MonotonicInstant.now + Self.timeout
        var request: [UInt8] = []
        for item in items {
            request += "set \(item.key) 0 0 \(item.value.count)\r\n".utf8
            request += item.value
            request += "\r\n".utf8
        }
        try send(request, until: deadline)
        for _ in items {
            let line = try line(until: deadline)
            guard line == "STORED" else { throw .unexpected(ReplyFault.quoted(line.utf8)) }
        }
    }

    private func send(_ bytes: [UInt8], until deadline: MonotonicInstant) throws(TextProtocolError) {
        var sent = 0
        while sent < bytes.count {
            let rest = bytes[sent...]
            let result = try call(until: deadline) { () throws(SystemCallError) in
                try socket.descriptor.write(rest)
            }
            if case .done(let count) = result { sent += count }
        }
    }

    private mutating func line(until deadline: MonotonicInstant) throws(TextProtocolError) -> String {
        while true {
            let rest = buffer[start...]
            switch rest.withUnsafeBytes({ ReplyLine.first(of: $0) }) {
            case .whole(let count, let next):
                start += next
                return String(decoding: rest.prefix(count), as: UTF8.self)
            case .noLine(let count): throw .unexpected(ReplyFault.quoted(rest.prefix(count)))
            case .partial: break
            }
            buffer.removeFirst(start)
            start = 0
            buffer += try receive(until: deadline)
        }
    }

    /// What has arrived, once something has.
    private func receive(until deadline: MonotonicInstant) throws(TextProtocolError) -> [UInt8] {
        while true {
            var result = IOResult.wouldBlock
            let bytes = try call(until: deadline) { () throws(SystemCallError) in
                let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
                defer { bytes.deallocate() }
                result = try socket.descriptor.read(into: bytes)
                return if case .done(let count) = result { Array(bytes[..<count]) } else { [UInt8]() }
            }
            if result == .done(0) { throw .closed }
            if result != .wouldBlock { return bytes }
        }
    }

    /// Makes a call that waits no longer than to the deadline.
    private func call<Value>(
        until deadline: MonotonicInstant,
        _ body: () throws(SystemCallError) -> Value
    ) throws(TextProtocolError) -> Value {
        let left = deadline - .now
        guard left >= .milliseconds(1) else { throw .timeout(Self.timeout) }
        do throws(SystemCallError) {
            try socket.setTimeout(left)
            return try body()
        } catch {
            throw .system(error)
        }
    }
}
