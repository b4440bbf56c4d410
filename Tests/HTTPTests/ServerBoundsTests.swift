import Dispatch
import FoundationEssentials
import Glibc
import HTTPTypes
import POSIX
import Synchronization
import TestSupport
import Testing

@testable import HTTP

/// Says how long the body was; `/wait` waits until it is told to go on or is cancelled, `/large` answers 8 MB.
private final class Waiter: Responder {
    private let state = Mutex((waiting: [CheckedContinuation<Void, Never>](), cancelled: 0, isOver: false))

    var waiting: Int { state.withLock { $0.waiting.count } }
    var cancelled: Int { state.withLock { $0.cancelled } }

    func goOn() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    func respond(to request: Request) async -> Response {
        if request.path == "/large" {
            return Response(.ok, contentType: "text/plain", body: [UInt8](repeating: 120, count: 8 << 20))
        }
        if request.path == "/wait" {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        if !state.isOver { state.waiting.append(continuation) }
                        return state.isOver
                    }
                    if isOver { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.cancelled += 1 }
            }
        }
        return Response(.ok, contentType: "text/plain", body: Array("\(request.body.count)".utf8))
    }

    func response(to error: RequestError, head: HTTPRequest?) -> Response {
        Response(error.status, contentType: "text/plain", body: Array(error.message.utf8))
    }
}

@Suite("Server bounds", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ServerBoundsTests {
    private func withServer(
        held: Allowance = Allowance(limit: nil),
        _ change: (inout ServerBounds) -> Void,
        _ body: (Server, Waiter, ServerCounters) throws -> Void
    ) throws {
        try inNetworkNamespace {
            var bounds = ServerBounds(body: 32 << 20)
            change(&bounds)
            let (waiter, counters) = (Waiter(), ServerCounters())
            let server = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                bounds: bounds,
                held: held,
                counters: counters,
                responder: waiter
            )
            try server.start()
            try body(server, waiter, counters)
            waiter.goOn()
            _ = server.drain(timeout: .seconds(1))
        }
    }

    private func connect(_ server: Server, _ text: String = "") throws -> Socket {
        let socket = try Socket.connected(to: server.address, timeout: .seconds(20))
        try socket.descriptor.writeAll(Array(text.utf8))
        return socket
    }

    private func readAll(_ socket: borrowing Socket) throws -> String {
        String(decoding: try socket.descriptor.readToEnd(), as: UTF8.self)
    }

    @Test("one connection too many is told so and closed, and room that comes free is taken")
    func connections() throws {
        try withServer({ $0.connections = 3 }) { server, _, counters in
            var clients: [Box] = []
            for _ in 0..<3 { clients.append(Box(try Client(to: server.address, timeout: .seconds(20)))) }
            for client in clients { #expect(try client.get("/").status == 200) }
            // More than are told so with care.
            for _ in 0..<100 {
                let answer = try readAll(try connect(server))
                #expect(answer.hasPrefix("HTTP/1.1 503 "))
                #expect(answer.contains("\r\nRetry-After: 1\r\n"))
                #expect(answer.contains("\r\nConnection: close\r\n"))
            }
            // One that has sent its request at once reads why, too.
            #expect(try readAll(try connect(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).hasPrefix("HTTP/1.1 503 "))
            #expect(counters.turnedAway == 101)
            #expect(counters.connections == 3)
            for client in clients { #expect(try client.get("/").status == 200) }
            clients.removeLast()
            let isFree = eventually { server.connectionCount == 2 }
            #expect(isFree)
            var next = try Client(to: server.address, timeout: .seconds(20))
            #expect(try next.send(.get, "/").status == 200)
        }
    }

    @Test("where idle ones make room, who has sent no request for the longest goes, and who has is answered")
    func dismissal() throws {
        let held = Allowance(limit: nil)
        let change: (inout ServerBounds) -> Void = { bounds in
            bounds.connections = 3
            bounds.dismissesIdle = true
        }
        try withServer(held: held, change) { server, waiter, counters in
            let begun = try connect(server, "GET / HT")
            let hasBegun = eventually { held.value == 8 }
            #expect(hasBegun)
            let busy = try connect(server, "GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let isWaiting = eventually { waiter.waiting == 1 }
            #expect(isWaiting)
            let idle = try connect(server)
            for _ in 0..<5 {
                // Each is idle after its answer, and goes before the one whose request has begun.
                var client = try Client(to: server.address, timeout: .seconds(20))
                #expect(try client.send(.get, "/").status == 200)
            }
            #expect(try readAll(idle).isEmpty)
            try begun.descriptor.writeAll(Array("TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
            #expect(try readAll(begun).hasPrefix("HTTP/1.1 200 "))
            waiter.goOn()
            #expect(try readAll(busy).hasPrefix("HTTP/1.1 200 "))
            #expect(counters.turnedAway == 0)
        }
        // Half a body makes room as well.
        let bodies = Allowance(limit: nil)
        try withServer(held: bodies, change) { server, _, counters in
            let half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
            let first = try connect(server, half)
            let second = try connect(server, half)
            let third = try connect(server, half)
            let areHeld = eventually { bodies.value == 12 }
            #expect(areHeld)
            var client = try Client(to: server.address, timeout: .seconds(20))
            #expect(try client.send(.get, "/").status == 200)
            #expect(counters.turnedAway == 0)
            for socket in [first.rawValue, second.rawValue, third.rawValue] { #expect(socket >= 0) }
        }
    }

    /// A client that can stand in an array.
    private final class Box {
        private var client: Client

        init(_ client: consuming Client) {
            self.client = client
        }

        func get(_ path: String) throws -> Client.Answer { try client.send(.get, path) }
    }

    @Test("a request that does not come is refused, and a client that says nothing is left")
    func timeouts() throws {
        let change: (inout ServerBounds) -> Void = { bounds in
            bounds.headTimeout = .milliseconds(50)
            bounds.bodyTimeout = .milliseconds(50)
            bounds.idleTimeout = .milliseconds(50)
        }
        try withServer(change) { server, _, counters in
            #expect(try readAll(try connect(server)).isEmpty)
            let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
            #expect(try readAll(try connect(server, head)).hasPrefix("HTTP/1.1 408 "))
            #expect(try readAll(try connect(server, head + "\r\nhalf")).hasPrefix("HTTP/1.1 408 "))
            #expect(counters.timedOut == 2)
            let idle = try readAll(try connect(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
            #expect(idle.hasPrefix("HTTP/1.1 200 "))
            #expect(!idle.contains("408"))
            let areGone = eventually { server.connectionCount == 0 }
            #expect(areGone)
        }
    }

    @Test("an answer that nobody takes is held for a bounded time")
    func slowReaders() throws {
        let held = Allowance(limit: nil)
        try withServer(held: held, { $0.writeTimeout = .milliseconds(100) }) { server, _, counters in
            let slow = try connect(server, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            let isHeld = eventually { held.value > 8 << 20 }
            #expect(isHeld)
            let isGivenUp = eventually { held.value == 0 && server.connectionCount == 0 }
            #expect(isGivenUp, "\(held.value) bytes are held")
            #expect(counters.timedOut == 1)
            _ = try? readAll(slow)
        }
    }

    @Test("bodies are read as far as there is room for them together")
    func heldBytes() throws {
        let held = Allowance(limit: 100_000)
        try withServer(held: held, { _ in }) { server, _, _ in
            let part = String(repeating: "x", count: 60_000)
            let head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n"
            let first = try connect(server, head + part)
            let isHeld = eventually { held.value == 60_000 }
            #expect(isHeld)
            let refused = try readAll(try connect(server, head + part))
            #expect(refused.hasPrefix("HTTP/1.1 429 "))
            #expect(refused.contains("try again later"))
            // What is sent in spite of it is read away, and answered no second time.
            let stubborn = try connect(server, head + part)
            _ = try? stubborn.descriptor.writeAll([UInt8](repeating: 120, count: 5000))
            #expect(try readAll(stubborn).split(separator: "HTTP/1.1").count == 1)
            #expect(held.value == 60_000)
            try first.descriptor.writeAll([UInt8](repeating: 120, count: 10_000))
            #expect(try readAll(first).hasSuffix("\r\n\r\n70000"))
            let isEmpty = eventually { held.value == 0 }
            #expect(isEmpty)
        }
    }

    @Test("a client that resets or goes while its request is under way has it cancelled; one that half closes has not")
    func leaving() throws {
        try withServer({ _ in }) { server, waiter, counters in
            let request = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
            let halfClosed = try connect(server, request)
            halfClosed.finishSending()
            do {
                let reset = try connect(server, request)
                let ended = try connect(server, request)
                let areWaiting = eventually { waiter.waiting == 3 }
                #expect(areWaiting)
                // Later than one would that only ends its side.
                sleepThread(for: .milliseconds(100))
                reset.resetOnClose()
                ended.finishSending()
            }
            let areCancelled = eventually { waiter.cancelled == 2 && counters.abandoned == 2 }
            #expect(areCancelled, "\(waiter.cancelled) are cancelled")
            #expect(server.connectionCount == 1)
            waiter.goOn()
            #expect(try readAll(halfClosed).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("under abandoned=finish a request whose client has left goes on")
    func finishing() throws {
        try withServer({ $0.abandoned = .finish }) { server, waiter, counters in
            do {
                let reset = try connect(server, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
                let isWaiting = eventually { waiter.waiting == 1 }
                #expect(isWaiting)
                reset.resetOnClose()
            }
            var other = try Client(to: server.address, timeout: .seconds(20))
            #expect(try other.send(.get, "/").status == 200)
            #expect((waiter.cancelled, counters.abandoned) == (0, 0))
            #expect(server.connectionCount == 2)
            waiter.goOn()
            let isGone = eventually { server.connectionCount == 1 }
            #expect(isGone)
        }
    }
}

extension Socket {
    /// Has a close reset the connection, in place of ending it in order. socket(7) SO_LINGER
    fileprivate func resetOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(rawValue, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }
}

/// Answers at once where it may, and says which thread it is on.
private struct Apart: ThreadResponder {
    func immediateResponse(to request: Request) -> Response? {
        request.path == "/now" ? Response(.ok, contentType: "text/plain", body: Array("now".utf8)) : nil
    }

    func respond(to request: Request) -> Response {
        Response(.ok, contentType: "text/plain", body: Array("then".utf8))
    }

    func response(to error: RequestError, head: HTTPRequest?) -> Response {
        Response(error.status, contentType: "text/plain", body: Array(error.message.utf8))
    }
}

private final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() { count.withLock { $0 += 1 } }
}

@Suite("A server apart", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ThreadResponderTests {
    @Test("it answers while every thread of Swift's pool, and of Dispatch's, is blocked")
    func blockedPool() throws {
        try inNetworkNamespace {
            let server = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                bounds: .admin,
                threadResponder: Apart()
            )
            try server.start()
            let release = DispatchSemaphore(value: 0)
            let blocked = Count()
            for _ in 0..<100 {
                Task.detached {
                    blocked.add()
                    release.wait()
                }
            }
            // As many as it has threads, but for the one this test may be on. Dispatch's own come after: the pool is
            // made of its threads, and would find none left.
            let begins = eventually(within: .seconds(20)) { blocked.value > 0 }
            #expect(begins || ProcessInfo.processInfo.activeProcessorCount == 1)
            for _ in 0..<100 { DispatchQueue.global().async { release.wait() } }
            var last = -1
            while last != blocked.value {
                last = blocked.value
                sleepThread(for: .milliseconds(50))
            }
            var client = try Client(to: server.address, timeout: .seconds(10))
            for _ in 0..<3 {
                #expect(try client.send(.get, "/now").body == Array("now".utf8))
                #expect(try client.send(.get, "/then").body == Array("then".utf8))
                #expect(try client.send(.head, "/now").status == 200)
            }
            #expect(blocked.value < 100, "the pool has run all of them, and was not blocked")
            for _ in 0..<200 { release.signal() }
            _ = server.drain(timeout: .seconds(5))
        }
    }
}
