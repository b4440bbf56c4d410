import Dispatch
import KernelProbe
import POSIX
import PostRecords
import Results
import Synchronization
import TestSupport
import Testing

@testable import Scenarios

/// Ports are looked at beside the run: nobody who asks for something waits for a long list of sockets.
@Suite("Looks at the ports", .timeLimit(.minutes(1)))
struct PortLooksTests {
    /// Looks that end when they are told to, and sees as many ports in TIME_WAIT as it has looked.
    private final class Kernel: Sendable {
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        private let real: PortSample

        init() throws {
            real = try PortSample.take()
        }

        var source: PortLooks.Source {
            { _ throws(SystemCallError) in
                self.begun.signal()
                self.mayEnd.wait()
                return self.real
            }
        }
    }

    @Test("a look that takes long keeps nobody, a second is not begun beside it, and what it saw is taken once")
    func slow() throws {
        let kernel = try Kernel()
        let looks = try PortLooks.start(kernel.source)
        looks.begin()
        kernel.begun.wait()
        #expect(looks.isLooking)
        looks.begin()
        #expect(try looks.take().isEmpty)
        kernel.mayEnd.signal()
        #expect(eventually { !looks.isLooking })
        #expect(try looks.take().count == 1)
        #expect(try looks.take().isEmpty)
        looks.stop()
        #expect(kernel.begun.wait(timeout: .now()) == .timedOut, "one look was asked for")
    }

    @Test("a fresh look is one that begins after it was asked for, though another is under way")
    func fresh() throws {
        let kernel = try Kernel()
        let looks = try PortLooks.start(kernel.source)
        looks.begin()
        kernel.begun.wait()
        for _ in 0..<2 { kernel.mayEnd.signal() }
        _ = try looks.fresh()
        #expect(kernel.begun.wait(timeout: .now()) == .success)
        #expect(try looks.take().count == 2)
        looks.stop()
    }

    @Test("a look that fails is told when it is taken, and the next may succeed")
    func failure() throws {
        let isFailing = Atomic<Bool>(true)
        let sample = try PortSample.take()
        let looks = try PortLooks.start { _ throws(SystemCallError) in
            if isFailing.load(ordering: .acquiring) { throw SystemCallError("socket", on: "sock_diag", errno: 1) }
            return sample
        }
        #expect(throws: SystemCallError.self) { try looks.fresh() }
        #expect(throws: SystemCallError.self) { try looks.take() }
        isFailing.store(false, ordering: .releasing)
        _ = try looks.fresh()
        #expect(try looks.take().count == 1)
        looks.stop()
    }

    @Test("a sample waits for its look a fifth of a second at most, and is read as soon as there is one")
    func steps() {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        var clock = PhaseClock(
            PhasePlan(name: "p", duration: .seconds(60)),
            start: start,
            sampleInterval: .milliseconds(500)
        )
        func step(_ milliseconds: Int, isLooking: Bool) -> PhaseClock.SampleStep {
            clock.takeSampleStep(at: start + .milliseconds(milliseconds), isLooking: isLooking)
        }
        #expect(step(0, isLooking: false) == .look)
        #expect(step(50, isLooking: true) == .nothing)
        #expect(step(100, isLooking: false) == .read)
        #expect(step(150, isLooking: false) == .nothing)
        #expect(step(500, isLooking: false) == .look)
        #expect(step(650, isLooking: true) == .nothing)
        #expect(step(700, isLooking: true) == .read, "who watches does not wait for it")
        #expect(step(750, isLooking: true) == .nothing)
        #expect(step(1000, isLooking: true) == .look)
    }

    @Test("while a look takes long, a point has the ports as last seen and says when that was; no peak is lost")
    func points() {
        func ports(_ count: Int, at seconds: UInt64) -> MemcachedPorts {
            MemcachedPorts(taken: MonotonicInstant(nanoseconds: seconds * 1_000_000_000), inUse: count, timeWait: count)
        }
        let start = MonotonicInstant(nanoseconds: 0)
        var sampler = PhaseSampler("p", start: start, counted: CounterSnapshot(), ports: ports(3, at: 0))
        func point(_ seconds: UInt64, _ looks: [MemcachedPorts]) -> TimelinePoint {
            let reading = PhaseSampler.Reading(
                at: MonotonicInstant(nanoseconds: seconds * 1_000_000_000),
                looks: looks,
                counters: CounterSnapshot(),
                status: nil,
                cgroupBytes: nil,
                isUp: true,
                batchesPending: 0,
                clients: []
            )
            return sampler.point(reading, since: start)
        }
        let points = [point(1, [ports(5, at: 1)]), point(2, []), point(3, [ports(90, at: 2), ports(7, at: 3)])]
        #expect(points.map(\.portsInUse) == [5, 5, 7])
        #expect(points.map(\.portsAt) == [1, 1, 3])
        #expect(sampler.peaks.portsInUse == 90)
        #expect(sampler.peaks.timeWait == 90)
    }
}
