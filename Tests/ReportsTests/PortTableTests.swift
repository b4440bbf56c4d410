import KernelProbe
import PostRecords
import Testing
import Text

@testable import Reports

@Suite("Port table")
struct PortTableTests {
    private let long = #"""
        {"family": "ipv6", "source": "fd00:1234:5678:9abc:def0:1234:5678:9abc",
         "destination": "[fd00:1234:5678:9abc:def0:1234:5678:9abd]:11211", "inUse": 28231, "capacity": 28232,
         "open": 31, "timeWait": 28200, "sourceInUse": 28231, "free": 1, "reusable": 0, "blocked": 0,
         "chosenBy": "bind", "connectsPerSecond": 471.5, "secondsLeft": 3, "state": "filling"}
        """#

    private func figures(_ json: String) throws -> PortFigures {
        try JSONText.decode(PortFigures.self, from: Array(json.utf8))
    }

    @Test("it fits, and the share and the time left are in every width", arguments: [40, 60, 79, 100, 200])
    func widths(width: Int) throws {
        let table = PortTable(width: width)
        let line = table.line(try figures(long))
        #expect(line.count <= width && table.header.count == line.count, "\(line)")
        // One port is free: that is not 100%.
        for value in [" 99 ", "3 s"] { #expect(line.contains(value), "\(value) in \(line)") }
        #expect(line.contains("28,231") == (width >= 60))
        #expect(line.contains("11211"))
        if width == 200 {
            #expect(line.contains("fd00:1234:5678:9abc:def0:1234:5678:9abc "))
            #expect(line.contains("[fd00:1234:5678:9abc:def0:1234:5678:9abd]:11211"))
        }
    }

    @Test("what is not known is a dash, what is no more than anybody's numbers is shown all the same")
    func unknown() throws {
        var row = try figures(long)
        (row.connectsPerSecond, row.secondsLeft, row.state) = (nil, nil, .unknown)
        #expect(PortTable().line(row).hasSuffix("      -         -"))
        (row.capacity, row.free, row.inUse) = (.max, .min, .min)
        (row.connectsPerSecond, row.secondsLeft, row.state) = (1e300, -1e300, .filling)
        row.source = "127.0.0.1\u{1b}[31m\n"
        #expect(!PortTable().line(row).unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test("spiral top shows the ports of connections to memcached below the callers, the busiest ways first")
    func top() throws {
        func ranking(_ ports: String) throws -> ClientRanking {
            try JSONText.decode(ClientRanking.self, from: Array(#"{"clients": []\#(ports)}"#.utf8))
        }
        // What another version answers, and what one on a unix socket does.
        #expect(ClientReport.lines(try ranking(""), most: 20) == ["nobody has asked for anything yet"])
        let rows = Array(repeating: long, count: 7).joined(separator: ",")
        let ports = #", "ports": {"rows": [\#(rows)], "count": 1200, "sampleAgeSeconds": 41}"#
        let lines = ClientReport.lines(try ranking(ports), most: 20, width: 79)
        #expect(lines[1] == "" && lines[2].hasPrefix("source"))
        #expect(lines.count { $0.contains("28,231") } == 5)
        #expect(lines.suffix(2) == ["5 of 1,200 rows", "as of 41 s ago"])
        let none = try ranking(#", "ports": {"rows": [], "count": 0, "sampleAgeSeconds": 1}"#)
        #expect(ClientReport.lines(none, most: 20).last == "no connection to memcached holds a port")
    }
}
