internal import Glibc
package import POSIX
internal import Synchronization
internal import Units

/// Somebody on memcached's port who is not memcached: each connection is served by a thread of its own, as a test says,
/// and closed when that is over. For what a real memcached never does.
package final class StandIn: Sendable {
    package let address: SocketAddress
    private let state: State

    /// What its threads share; the port is free again when the last of them has ended.
    fileprivate final class State: Sendable {
        let listener: Socket
        let isStopped = Atomic<Bool>(false)
        let connections = Atomic<Int>(0)
        let ended = Atomic<Int>(0)

        init(_ listener: consuming Socket) {
            self.listener = listener
        }
    }

    /// - Parameter serve: called for each connection on a thread in the caller's network namespace.
    package init(port: UInt16 = 11211, _ serve: @escaping @Sendable (Caller) throws -> Void) throws {
        address = .ipv4(.loopback, port: port)
        state = State(try Socket.listening(on: address, backlog: 4096))
        let state = state
        try Thread(name: "stand-in") {
            while !state.isStopped.load(ordering: .acquiring) {
                guard StandIn.isReady(state.listener.rawValue, POLLIN), let socket = try? state.listener.accept() else {
                    continue
                }
                state.connections.add(1, ordering: .relaxed)
                let caller = Caller(socket, state)
                _ = try? Thread(name: "stand-in-peer") {
                    try? serve(caller)
                    state.ended.add(1, ordering: .relaxed)
                }.detach()
            }
        }.detach()
    }

    deinit {
        state.isStopped.store(true, ordering: .releasing)
    }

    /// Connections accepted so far.
    package var connections: Int { state.connections.load(ordering: .relaxed) }

    /// Connections that are over, closed by either side.
    package var ended: Int { state.ended.load(ordering: .relaxed) }

    /// Waits a moment for a descriptor. poll(2)
    fileprivate static func isReady(_ descriptor: CInt, _ events: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&entry, 1, 20) == 1
    }

    /// A connection to it.
    package final class Caller: Sendable {
        /// The other end is gone, or the stand-in is.
        package struct Gone: Error {}

        private let socket: Socket
        private let state: State
        private let unread = Mutex<[UInt8]>([])

        fileprivate init(_ socket: consuming Socket, _ state: State) {
            self.socket = socket
            self.state = state
        }

        /// The words of the next request; the value of a `set` is read and left out.
        package func request() throws -> [String] {
            while true {
                if let words = unread.withLock({ Self.takeRequest(from: &$0) }) { return words }
                let more = try receive()
                unread.withLock { $0 += more }
            }
        }

        /// What has arrived, once something has.
        package func receive() throws -> [UInt8] {
            try wait(POLLIN)
            let bytes = try socket.descriptor.readSome(upTo: 64 << 10)
            guard !bytes.isEmpty else { throw Gone() }
            return bytes
        }

        package func send(_ text: String) throws { try send(Array(text.utf8)) }

        /// Sends bytes, and waits for room where there is none.
        package func send(_ bytes: some Collection<UInt8>) throws {
            let bytes = Array(bytes)
            var sent = 0
            while sent < bytes.count {
                if case .done(let count) = try socket.descriptor.write(bytes[sent...]) {
                    sent += count
                } else {
                    try wait(POLLOUT)
                }
            }
        }

        /// Says nothing until the other end closes.
        package func stall() throws {
            while true { _ = try receive() }
        }

        /// Reads nothing and says nothing until the stand-in is gone, or the other end has reset the connection.
        package func ignore() throws {
            while !state.isStopped.load(ordering: .acquiring), !StandIn.isReady(socket.rawValue, 0) {}
        }

        /// Closes with a reset. SO_LINGER in socket(7)
        package func reset() {
            var value = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket.rawValue, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        }

        /// Takes turns between two directions: what came from either is handed on until one of them ends.
        package func relay(to address: SocketAddress, back: ([UInt8]) throws -> Void) throws {
            let server = try Socket.connected(to: address, timeout: .seconds(5))
            while true {
                var entries = [socket.rawValue, server.rawValue].map {
                    pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
                }
                guard poll(&entries, 2, 20) > 0 else {
                    if state.isStopped.load(ordering: .acquiring) { throw Gone() }
                    continue
                }
                if entries[0].revents != 0 { try server.descriptor.writeAll(try receive()) }
                if entries[1].revents != 0 {
                    let bytes = try server.descriptor.readSome(upTo: 64 << 10)
                    guard !bytes.isEmpty else { throw Gone() }
                    try back(bytes)
                }
            }
        }

        private func wait(_ events: CInt) throws {
            while !StandIn.isReady(socket.rawValue, events) {
                if state.isStopped.load(ordering: .acquiring) { throw Gone() }
            }
        }

        private static func takeRequest(from bytes: inout [UInt8]) -> [String]? {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let words = String(decoding: bytes[..<end], as: UTF8.self).split(whereSeparator: \.isWhitespace).map(
                String.init
            )
            var count = end + 1
            if words.first == "set", words.count > 4 { count += (Int(words[4]) ?? 0) + 2 }
            guard bytes.count >= count else { return nil }
            bytes.removeFirst(count)
            return words
        }
    }
}

extension StandIn {
    /// A relay to a real memcached that hands its replies on in pieces of 1 to 64 bytes, some of them late.
    package static func slicer(of memcached: SocketAddress, port: UInt16, seed: UInt64) throws -> StandIn {
        let seeds = Mutex(SplitMix64(seed: seed))
        return try StandIn(port: port) { caller in
            var random = SplitMix64(seed: seeds.withLock { $0.next() })
            try caller.relay(to: memcached) { reply in
                var rest = reply[...]
                while !rest.isEmpty {
                    let size = Int(random.next() % 64) + 1
                    try caller.send(rest.prefix(size))
                    rest = rest.dropFirst(size)
                    if random.next() % 32 == 0 { sleepThread(for: .milliseconds(1)) }
                }
            }
        }
    }
}
