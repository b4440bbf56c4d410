internal import Glibc
package import POSIX
internal import Synchronization
internal import Units

/// A server that does what a test says, and remembers by its own clock what came: a thread for each connection.
package final class ScriptedServer: Sendable {
    package struct Request: Sendable {
        /// Of all requests, the first being 0; and of its connection.
        package var number: Int
        package var numberOnConnection: Int
        /// When its first byte came.
        package var arrival: MonotonicInstant
        package var head: String
        package var body: [UInt8]

        package var uris: Int { body.split(separator: UInt8(ascii: "\"")).count { $0.starts(with: "at://".utf8) } }
    }

    package enum Reaction: Sendable {
        case answer([UInt8])
        /// The connection ends without the answer having said so.
        case answerAndClose([UInt8])
        case close
        /// The connection is reset after what is said, as by a process that was killed.
        case answerAndReset([UInt8])
        /// More is said a while after the answer, that nobody asked for.
        case answerThen([UInt8], after: Duration, [UInt8])
        /// Byte by byte, with a while between them.
        case drip([UInt8], every: Duration)
        /// Nothing is said, and the connection stays.
        case hold
    }

    private struct State {
        var requests: [Request] = []
        var answered: [MonotonicInstant] = []
        var connections = 0
        var isEnding = false
    }

    package let address: SocketAddress
    private let state = Mutex(State())
    private let react: @Sendable (Request) -> Reaction

    /// - Parameters:
    ///   - port: 0 for one of the kernel's.
    ///   - address: to listen on; loopback of IPv4 or IPv6.
    ///   - react: called on the connection's thread, where it may wait.
    package init(
        port: UInt16 = 0,
        on address: IPAddress = IPAddress(.loopback),
        _ react: @escaping @Sendable (Request) -> Reaction
    ) throws {
        self.react = react
        let listener = try Socket.listening(on: SocketAddress(IPEndpoint(address, port: port)), backlog: 1024)
        self.address = try listener.localAddress()
        let box = Box(listener)
        try Thread(name: "test-server") { [self] in accept(box) }.detach()
    }

    package func end() { state.withLock { $0.isEnding = true } }

    /// In the order they came.
    package var requests: [Request] { state.withLock { $0.requests }.sorted { $0.arrival < $1.arrival } }
    /// When answers began to go out.
    package var answered: [MonotonicInstant] { state.withLock { $0.answered } }
    package var connections: Int { state.withLock { $0.connections } }

    /// A socket that a closure can hold.
    private final class Box: Sendable {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    private var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Waits for something to read, up to a while.
    private static func wait(for socket: borrowing Socket) {
        guard let poller = try? Poller() else { return }
        try? poller.add(socket.rawValue, .readable, token: 1)
        poller.wait(until: .now + .milliseconds(200)) { _ in }
    }

    private func accept(_ listener: Box) {
        while !isEnding {
            guard let socket = try? listener.socket.accept() else {
                Self.wait(for: listener.socket)
                continue
            }
            state.withLock { $0.connections += 1 }
            let box = Box(socket)
            try? Thread(name: "test-connection") { [self] in serve(box) }.detach()
        }
    }

    private func serve(_ box: Box) {
        var bytes: [UInt8] = []
        var arrival: MonotonicInstant?
        var served = 0
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { space.deallocate() }
        while !isEnding {
            if let (head, body, length) = Self.request(in: bytes) {
                bytes.removeFirst(length)
                let request = state.withLock { state in
                    let request = Request(
                        number: state.requests.count,
                        numberOnConnection: served,
                        arrival: arrival ?? .now,
                        head: head,
                        body: body
                    )
                    state.requests.append(request)
                    return request
                }
                served += 1
                arrival = nil
                let reaction = react(request)
                state.withLock { $0.answered.append(.now) }
                switch reaction {
                case .answer(let answer): write(answer, box)
                case .answerAndClose(let answer):
                    write(answer, box)
                    return
                case .close: return
                case .answerAndReset(let answer):
                    write(answer, box)
                    var linger = linger(l_onoff: 1, l_linger: 0)
                    let size = socklen_t(MemoryLayout.size(ofValue: linger))
                    setsockopt(box.socket.rawValue, SOL_SOCKET, SO_LINGER, &linger, size)
                    return
                case .answerThen(let answer, let pause, let more):
                    write(answer, box)
                    sleepThread(for: pause)
                    write(more, box)
                case .drip(let answer, let pause):
                    for byte in answer where !isEnding {
                        write([byte], box)
                        sleepThread(for: pause)
                    }
                case .hold: break
                }
                continue
            }
            switch try? box.socket.descriptor.read(into: space) {
            case .done(0), nil: return
            case .done(let count):
                arrival = arrival ?? .now
                bytes += space[..<count]
            case .wouldBlock: Self.wait(for: box.socket)
            }
        }
    }

    private func write(_ answer: [UInt8], _ box: Box) {
        var sent = 0
        while sent < answer.count, case .done(let count)? = try? box.socket.descriptor.write(answer[sent...]) {
            sent += count
        }
    }

    /// The first whole request, and how long it is.
    private static func request(in bytes: [UInt8]) -> (head: String, body: [UInt8], length: Int)? {
        guard let end = bytes.indices.dropLast(3).first(where: { bytes[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) })
        else {
            return nil
        }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        let field = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let length = field.flatMap { Int($0.split(separator: ":")[1].filter { $0 != " " }) } ?? 0
        guard bytes.count >= end + 4 + length else { return nil }
        return (head, Array(bytes[end + 4..<end + 4 + length]), end + 4 + length)
    }

    /// An answer with so many records.
    package static func records(_ count: Int, head: String = "HTTP/1.1 200 OK\r\n") -> [UInt8] {
        let body = "{\"records\":[" + Array(repeating: "{\"cid\":\"b\"}", count: count).joined(separator: ",") + "]}"
        return Array("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }
}
