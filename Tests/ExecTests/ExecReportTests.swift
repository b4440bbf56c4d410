import Foundation
import POSIX
import TestSupport
import Testing
import Units

@testable import Exec

/// Dials and ports over time and by pair of addresses, in the JSON and in the report.
@Suite("spiral exec: report", .timeLimit(.minutes(1)))
struct ExecReportTests {
    @Test("values over time keep a bounded number of steps, whose sum stays")
    func steps() throws {
        var steps = TimeSteps<DialCount>()
        let start = MonotonicInstant(nanoseconds: 5_000_000_000)
        #expect(steps.points(since: start).isEmpty)
        for second in 0..<2000 { steps.add(DialCount(count: second), at: start + .seconds(second)) }
        // Out of order, and long after all others.
        steps.add(DialCount(count: 7), at: MonotonicInstant(nanoseconds: 1))
        steps.add(DialCount(count: 1), at: start + .seconds(100_000_000))
        let points = steps.points(since: start)
        #expect(points.count <= 600)
        let all: Int = points.reduce(0) { sum, point in sum + (point.value?.count ?? 0) }
        #expect(all == 1_999_008)
        let (first, last) = (try #require(points.first), try #require(points.last))
        #expect(first.at == 0)
        #expect(try #require(first.value).count >= 7)
        #expect(last.at > 99_000_000)
    }

    @Test("what goes to both a file and a page, and a report of what runs already, are refused")
    func refused() throws {
        let twice = try Program("spiral", ["exec", "--json", "-", "--report", "-", "--", "true"])
        #expect(twice.wait() == .status(2))
        #expect(try twice.text.contains("only one of --json and --report can go to standard output"))
        let control = try Program("spiral", ["exec", "--control", "1", "--report", "x.html"])
        #expect(control.wait() == .status(2))
        #expect(try control.text.contains("--report is for its start"))
    }

    @Test(
        "ports and TIME_WAIT are told by source and destination, and drawn over time",
        .requiresNamespaces,
        .requires("python3", package: "python3")
    )
    func report() throws {
        let json = try TemporaryFile()
        let page = try TemporaryFile()
        let program = try Program(
            "spiral",
            [
                "exec", "--ports", "512", "--dialer", "bind:127.32.0.1", "--json", json.path, "--report", page.path,
                "--expect", "dials.ok < 9", "--", "python3", Clients.folder + "/dial.py", "sources", "200",
            ]
        )
        #expect(program.wait() == .status(1), "the claim does not hold")
        let data = Data(try json.contents.utf8)
        let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let rows = try #require(result["ports"] as? [[String: Any]])
        let row = try #require(rows.first)
        #expect(row["source"] as? String == "127.32.0.1" && row["destination"] as? String == "127.0.0.1:7001")
        let ports = try #require(row["ports"] as? Int)
        #expect((1...200).contains(ports) && ports == result["portsPeak"] as? Int)
        #expect((row["timeWait"] as? Int).map { $0 <= ports } == true)
        let timeline = try #require(result["timeline"] as? [String: [[String: Any]]])
        let rates: [Double] = (timeline["dials"] ?? []).compactMap { $0["perSecond"] as? Double }
        #expect(rates.contains { $0 > 0 })
        let held: [Int] = (timeline["ports"] ?? []).compactMap { $0["held"] as? Int }
        #expect(held.max() == ports)
        let text = try page.contents
        for part in [
            "<svg", "id=\"destinations\"", "id=\"pairs\"", "127.32.0.1", "FAIL: dials.ok &lt; 9 (200)", "spiral-exec/1",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }
}
