import POSIX
import Testing

@testable import KernelProbe
@testable import Reports

/// `--fail-above` and `--fail-below` at their bounds, and where nobody knows.
@Suite("Port alarm")
struct PortAlarmTests {
    private let source = IPAddress(text: "127.0.0.1")!
    private let destination = IPEndpoint(text: "127.0.0.1:4000")!

    private func instant(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9))
    }

    private func settings(ports: Int) -> NamespaceSettings {
        NamespaceSettings(range: PortRange(lowestPort: 32768, highestPort: 32767 + ports))
    }

    private func socket(_ state: TCPState, _ local: IPEndpoint, _ remote: IPEndpoint, inode: Int) -> ListedSocket {
        ListedSocket(
            isIPv6Socket: false,
            state: state.rawValue,
            local: local,
            remote: remote,
            timeWaitLeft: 0,
            inode: UInt32(inode),
            isIPv6Only: false
        )
    }

    /// Looks at connections that connect() chose ports for, one second apart: so many are open each time.
    private func trend(ports: Int, open looks: [Int], bound: Int = 0) -> PortTrend {
        var trend = PortTrend()
        for (second, open) in looks.enumerated() {
            var table = SocketTable()
            // Ports of the lower parity first, as connect() takes them.
            let order = Array(stride(from: 0, to: ports, by: 2)) + Array(stride(from: 1, to: ports, by: 2))
            for (number, port) in order.prefix(open).enumerated() {
                let local = IPEndpoint(source, port: UInt16(32768 + port))
                table.add(socket(.established, local, destination, inode: number + 1))
            }
            for port in 0..<bound {
                let local = IPEndpoint(.anyIPv4, port: UInt16(32768 + port))
                table.add(socket(.close, local, IPEndpoint(.anyIPv4, port: 0), inode: port + 1))
            }
            var counters = TCPCounters()
            counters["TcpActiveOpens"] = open
            let tick = PortTick(taken: instant(Double(second)), counters: counters, timeWait: 0)
            let use = PortUse(table, settings(ports: ports), taken: tick.taken, knowledge: trend.knowledge())
            trend.add(PortSample(use: use, tick: tick))
        }
        return trend
    }

    private func problem(_ alarm: PortAlarm, _ trend: PortTrend) -> String? { alarm.problem(in: trend, PortView()) }

    @Test("a share that is met exactly is not exceeded, one port more is", arguments: [7, 29, 43, 57, 58, 80, 95])
    func share(percent: Int) {
        let bound = PortAlarm(percent: Double(percent))
        #expect(problem(bound, trend(ports: 100, open: [percent, percent])) == nil)
        let more = problem(bound, trend(ports: 100, open: [percent + 1, percent + 1]))
        #expect(
            more == "127.0.0.1 to 127.0.0.1:4000: \(percent + 1)% of 100 ports are taken, which is above \(percent)%"
        )
    }

    @Test("a time that is met exactly is not too short, and the sentence says both times")
    func time() throws {
        let trend = trend(ports: 200, open: [0, 10, 20, 30, 40])
        let left = try #require(trend.outlooks.first?.secondsLeft)
        #expect(abs(left - 16) < 1)
        #expect(problem(PortAlarm(seconds: left), trend) == nil)
        let said = try #require(problem(PortAlarm(seconds: left.nextUp), trend))
        #expect(said.contains("no port is left in"))
        #expect(problem(PortAlarm(percent: 50, seconds: 10), trend) == nil)
    }

    @Test("ports that are all taken exceed every bound")
    func exhausted() {
        let trend = trend(ports: 64, open: [64, 64])
        for alarm in [PortAlarm(percent: 99.9), PortAlarm(seconds: 1)] { #expect(problem(alarm, trend) != nil) }
        #expect(problem(PortAlarm(), trend) == nil)
    }

    @Test("what is not known passes no time, unless all dials there are could not take the ports by then")
    func unknown() throws {
        let once = trend(ports: 100, open: [20])
        #expect(problem(PortAlarm(seconds: 60), once)?.contains("how long 80 ports last is not known") == true)
        #expect(problem(PortAlarm(percent: 80), once) == nil)
        #expect(PortAlarm(seconds: 60).problem(in: PortTrend(), PortView()) != nil)

        // One that appeared with the second look, and of which no look before knows: 20 dials a second at most.
        let row = try #require(once.outlooks.first)
        #expect(PortAlarm(seconds: 4).problem(of: row, connectsPerSecond: 20) == nil)
        #expect(PortAlarm(seconds: 4.1).problem(of: row, connectsPerSecond: 20) != nil)
        #expect(PortAlarm(seconds: 60).problem(of: row, connectsPerSecond: 0) == nil)
    }

    @Test("ports that may be another's fail the share that they would exceed")
    func unsure() throws {
        var row = try #require(trend(ports: 100, open: [20, 20]).outlooks.first)
        row.row.perhapsBlocked = 70
        #expect(PortAlarm(percent: 95).problem(of: row, connectsPerSecond: 0) == nil)
        let said = PortAlarm(percent: 80).problem(of: row, connectsPerSecond: 0)
        #expect(said == "who chose 70 ports is not known: more than 80% may be taken")
    }

    @Test("ports that others hold without a connection count where nobody dials yet")
    func bystander() {
        #expect(problem(PortAlarm(percent: 80), trend(ports: 100, open: [0, 0], bound: 80)) == nil)
        let most = problem(PortAlarm(percent: 80), trend(ports: 100, open: [0, 0], bound: 90))
        #expect(most?.contains("bind() chose 90 of 100 ports") == true)
        let all = problem(PortAlarm(seconds: 60), trend(ports: 100, open: [0, 0], bound: 100))
        #expect(all == "bind() chose all ports there are: no dial that binds nothing finds one")
    }
}
