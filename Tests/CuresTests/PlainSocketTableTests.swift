import Testing

@testable import Cures

/// What plain sockets came to, one dial after the other, on 128 ports: 512 dials, and 512 more 1.2 s later (Linux 6.18.44).
/// Rows that the cures share with that table agree with it in their verdict.
@Suite("Cures and plain sockets")
struct PlainSocketTableTests {
    private struct Row: Sendable, CustomTestStringConvertible {
        var cure: String
        var first: Int
        var later: Int
        /// Whether another program's plain dial succeeded.
        var others: Bool
        /// Whether its connections left no TIME_WAIT.
        var leavesNone = false
        var testDescription: String { cure }
    }

    private static let rows = [
        Row(cure: "nothing", first: 128, later: 0, others: false),
        Row(cure: "kernel-dialer", first: 128, later: 128, others: false),
        Row(cure: "kernel-dialer-tw-reuse-0", first: 128, later: 0, others: false),
        Row(cure: "kernel-dialer-tw-reuse-delay", first: 512, later: 512, others: true),
        Row(cure: "tw-reuse-1", first: 128, later: 0, others: false),
        Row(cure: "reuse-address", first: 128, later: 0, others: false),
        Row(cure: "reuse-port", first: 128, later: 0, others: false),
        Row(cure: "fin-timeout", first: 128, later: 0, others: false),
        Row(cure: "autobind-reuse", first: 128, later: 0, others: false),
        Row(cure: "late-bind", first: 128, later: 128, others: true),
        Row(cure: "linger-rst", first: 512, later: 512, others: true, leavesNone: true),
        Row(cure: "server-closes", first: 512, later: 512, others: true),
        Row(cure: "range-doubled", first: 256, later: 0, others: false),
        Row(cure: "tw-buckets", first: 512, later: 512, others: true, leavesNone: true),
        Row(cure: "rotate-source", first: 512, later: 512, others: true),
        Row(cure: "destinations", first: 128, later: 0, others: false),
        Row(cure: "late-bind-destinations", first: 512, later: 512, others: true),
        Row(cure: "unix-socket", first: 512, later: 512, others: true),
        Row(cure: "ipv6", first: 128, later: 128, others: false),
        Row(cure: "ipv6-bind", first: 128, later: 0, others: false),
        Row(cure: "ipv6-rotate-source", first: 512, later: 512, others: true),
    ]

    private static func figures(_ row: Row) -> CureFigures {
        CureFigures(
            asked: 1024,
            found: Double(row.first + row.later),
            // Who asks for little is another one in line.
            smallAsked: 1,
            smallFound: row.others || row.later > 0 ? 1 : 0,
            dials: 1024,
            othersFailed: row.others ? 0 : 1,
            endedWithoutTimeWait: row.leavesNone ? 1 : 0
        )
    }

    @Test("a cure is expected to come to what plain sockets came to", arguments: rows)
    private func agreement(_ row: Row) throws {
        let cure = try #require(Cure.all.first { $0.name == row.cure })
        let verdict = CureVerdict(Self.figures(row), incident: Self.figures(Self.rows[0]))
        #expect(cure.expectation(oneByOne: true).verdict == verdict)
    }

    @Test("the one row that differs says why: plain sockets waited for the other end's close before each next dial")
    func difference() throws {
        let plain = Row(cure: "reuse-address-autobind-reuse", first: 512, later: 512, others: false)
        #expect(CureVerdict(Self.figures(plain), incident: Self.figures(Self.rows[0])) == .harms)
        let cure = try #require(Cure.all.first { $0.name == plain.cure })
        #expect(cure.expectation(oneByOne: true).verdict == .helps)
        #expect(cure.cost.contains("open at once"))
    }
}
