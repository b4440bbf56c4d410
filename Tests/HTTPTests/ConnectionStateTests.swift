import HTTPTypes
import POSIX
import Testing

@testable import HTTP

@Suite("Connection state")
struct ConnectionStateTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func after(_ milliseconds: Int) -> MonotonicInstant { start + .milliseconds(milliseconds) }

    /// A connection that has heard some bytes at its start.
    private func state(_ text: String = "", _ change: (inout ServerBounds) -> Void = { _ in }) -> ConnectionState {
        var bounds = ServerBounds(body: 1000)
        bounds.headTimeout = .milliseconds(100)
        bounds.bodyTimeout = .milliseconds(200)
        bounds.idleTimeout = .milliseconds(300)
        bounds.writeTimeout = .milliseconds(400)
        change(&bounds)
        var state = ConnectionState(bounds, at: start)
        Array(text.utf8).withUnsafeBytes { state.received($0) }
        return state
    }

    private let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    private func describe(_ ending: ConnectionState.Ending?) -> String {
        switch ending {
        case nil: "nothing"
        case .close: "close"
        case .cutOff: "cut off"
        case .refuse(let error): "\(error.status.code)"
        case .abandon: "abandon"
        }
    }

    @Test(
        "what does not come in time is refused or closed",
        arguments: [
            ("", 100, "close"), ("GET / HT", 100, "408"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 200, "408"),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "408"),
        ]
    )
    func deadlines(text: String, timeout: Int, expected: String) {
        var ending: ConnectionState.Ending?
        var state = state(text)
        _ = state.step(at: start)
        #expect(state.deadline == after(timeout))
        ending = state.expire(at: after(timeout - 1))
        #expect(describe(ending) == "nothing")
        ending = state.expire(at: after(timeout))
        #expect(describe(ending) == expected)
    }

    @Test("a deadline does not move with what comes: a byte now and then keeps nobody")
    func slowly() {
        var state = state("GET")
        for moment in stride(from: 0, to: 90, by: 10) {
            _ = state.step(at: after(moment))
            Array(" ".utf8).withUnsafeBytes { state.received($0) }
        }
        #expect(state.deadline == after(100))
    }

    @Test("a request that is answered has no deadline; its answer has one, and so has what follows")
    func phases() {
        var ending: ConnectionState.Ending?
        var state = state(request)
        guard case .respond = state.step(at: start) else { return #expect(Bool(false), "no request") }
        #expect(state.deadline == nil)
        #expect(!state.wantsBytes)
        _ = state.answer(Response(.ok, contentType: "text/plain", body: []), at: after(1000))
        #expect(state.deadline == after(1400))
        var slow = state
        ending = slow.expire(at: after(1400))
        #expect(describe(ending) == "cut off")
        let next = state.written(at: after(1100))
        #expect(next == .anotherRequest)
        #expect(state.deadline == after(1400))
        #expect(state.wantsBytes)
        ending = state.expire(at: after(1400))
        #expect(describe(ending) == "close")
    }

    @Test(
        "who ends his side with the request still reads; who does so later, or resets, has left",
        arguments: [(0, "nothing"), (50, "nothing"), (51, "abandon")]
    )
    func leaving(moment: Int, expected: String) {
        var ending: ConnectionState.Ending?
        var state = state(request)
        _ = state.step(at: start)
        ending = state.finished(at: after(moment))
        #expect(describe(ending) == expected)
        ending = state.broken()
        #expect(describe(ending) == "abandon")
    }

    @Test("under abandoned=finish nobody has left before his answer")
    func finish() {
        var ending: ConnectionState.Ending?
        var state = state(request) { $0.abandoned = .finish }
        _ = state.step(at: start)
        ending = state.finished(at: after(1000))
        #expect(describe(ending) == "nothing")
        ending = state.broken()
        #expect(describe(ending) == "nothing")
    }

    @Test("a drain closes what is idle, and what is not after its answer")
    func drains() {
        var idle = state()
        let closes = idle.drain()
        #expect(closes)
        var busy = state(request)
        _ = busy.step(at: start)
        let closesBusy = busy.drain()
        #expect(!closesBusy)
        let answer = busy.answer(Response(.ok, contentType: "text/plain", body: []), at: start)
        #expect(String(decoding: answer!.blocks.joined(), as: UTF8.self).contains("Connection: close"))
        let next = busy.written(at: start)
        #expect(next == .close)
    }
}
