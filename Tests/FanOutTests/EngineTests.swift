import Limits
import Memcached
import POSIX
import PostRecords
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

@testable import FanOut

/// What an engine takes and gives back, with nothing to look up.
@Suite("Engine", .timeLimit(.minutes(1)))
struct EngineTests {
    private let nobody = SocketAddress.ipv4(.loopback, port: 1)

    private final class Weak: Sendable {
        // Safe: both are set by the test's own thread, and a weak reference may be read while its object ends.
        nonisolated(unsafe) weak var lane: Lane?
        nonisolated(unsafe) weak var context: LaneContext?
    }

    private func context() throws -> LaneContext {
        LaneContext(
            servers: ServerList([nobody]),
            settings: FanOutSettings(),
            store: nil,
            errorPolicy: .empty,
            log: try ErrorLog(mode: .off, sink: .standardError),
            messages: .postRecords,
            isReadable: { _ in true }
        )
    }

    @Test("an engine that is let go of ends its threads and frees its lanes, stopped or not", arguments: [true, false])
    func released(isStopped: Bool) throws {
        let weak = Weak()
        do {
            let context = try context()
            weak.context = context
            let engine = try FanOutEngine(context, lanes: 3) { lane throws(SystemCallError) in
                weak.lane = lane
                try Thread(name: "lane") { lane.run() }.detach()
            }
            if isStopped { engine.stop() }
        }
        let isFree = eventually { weak.lane == nil && weak.context == nil }
        #expect(isFree)
    }

    @Test("when the last thread cannot be made, the others end, and nothing is left")
    func partialStart() throws {
        let weak = Weak()
        let running = Atomic<Int>(0)
        do {
            let context = try context()
            weak.context = context
            #expect(throws: SystemCallError.self) {
                _ = try FanOutEngine(context, lanes: 4) { lane throws(SystemCallError) in
                    guard lane.index < 3 else { throw SystemCallError("pthread_create", errno: 11) }
                    weak.lane = lane
                    running.wrappingAdd(1, ordering: .relaxed)
                    try Thread(name: "lane") { lane.run() }.detach()
                }
            }
        }
        #expect(running.load(ordering: .relaxed) == 3)
        let isFree = eventually { weak.lane == nil && weak.context == nil }
        #expect(isFree)
    }

    @Test(
        "a machine has as many lanes as cores less memcached's, up to 64, and on few cores they share them",
        arguments: [
            (1, 2, 2), (2, 2, 2), (3, 2, 3), (4, 2, 4), (6, 2, 4), (8, 2, 6), (16, 2, 14), (16, 4, 12), (16, 0, 16),
            (64, 0, 64), (128, 2, 64),
        ]
    )
    func standardLanes(cores: Int, memcachedThreads: Int, lanes: Int) {
        #expect(FanOutEngine.standardLaneCount(cores: cores, memcachedThreads: memcachedThreads) == lanes)
    }

    @Test("who reads the limit is no caller: nobody yields to a scrape", arguments: ["fair:4", "process:4", "aimd"])
    func scrape(limit: String) throws {
        let engine = try FanOutEngine.make([nobody]) { $0.limit = try! LimitPolicy(text: limit) }
        let limiter = Limiter(try LimitPolicy(text: limit))
        for _ in 0..<1000 { #expect(engine.currentBound == limiter.bound) }
        var settings = engine.settings
        settings.limit = .request(3)
        engine.settings = settings
        #expect(engine.currentBound == 3)
    }
}
