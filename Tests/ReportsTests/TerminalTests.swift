import Glibc
import LoadGenerator
import POSIX
import PostRecords
import Results
import TestSupport
import Testing
import Text

@testable import Reports

/// What terminals of all widths are shown, with names as long as they may be.
@Suite("Terminal")
struct TerminalTests {
    private let longName = String(repeating: "caller-", count: 9).prefix(62).description

    @Test("the dashboard fits, and no name takes the values away", arguments: [20, 44, 80, 200])
    func dashboard(columns: Int) {
        let timeline = (1...100).map {
            TimelinePoint.made(
                at: Double($0),
                portsInUse: 128,
                timeWait: 1_234_567,
                errorsPerSecond: ["EADDRINUSE": 1130],
                clients: [longName: .made(milliseconds: 203)]
            )
        }
        let lines = Dashboard.lines("[1/1 incident] 3 s of 10 s", timeline, capacity: 256, columns: columns)
        #expect(lines.allSatisfy { $0.text.count <= columns }, "\(lines.map(\.text))")
        guard columns >= 44 else { return }
        for value in ["128 of 256", "1,130 EADDRINUSE", "203 ms", "1,234,567"] {
            #expect(lines.contains { $0.text.contains(value) }, "\(value) in \(lines.map(\.text))")
        }
        // A course of its own in each of the rows that have room for it, the ports' half as high as a line.
        #expect(lines.contains { $0.text.contains("▄▄▄▄") } == (columns >= 44))
        #expect(lines.first { $0.text.hasPrefix("errors/s") }?.tone == .bad)
    }

    @Test("bars are scaled to capacity, and what is there at all is seen")
    func bars() {
        #expect(Dashboard.spark([0, 1, 64, 128, 256, 300], top: 256) == " ▁▂▄██")
        #expect(Dashboard.spark([7, 7]) == "██")
        #expect(Dashboard.spark([0, 0]) == "  ")
    }

    @Test("tables fit in blocks below each other, and lose no value", arguments: [44, 80, 200])
    func tables(columns: Int) {
        let phases = ["healthy", "incident", longName, "pool", "fix"].map { name in
            PhaseResult.played(
                name,
                lookups: 120_186,
                failed: 119_224,
                clients: [.made(longName, slo: .milliseconds(250))]
            )
        }
        let lines = PhaseTable(phases).lines(fitting: columns)
        #expect(lines.allSatisfy { $0.text.count <= columns }, "\(lines.map(\.text))")
        #expect(lines.map(\.text).joined(separator: " ").components("119,224") == 10)
        #expect(lines.first { $0.text.hasPrefix("  EADDRINUSE") }?.tone == .bad)
        let summary = RunResult.made(phases).summary(width: columns, file: nil)
        // Commands to copy are not broken.
        #expect(summary.allSatisfy { $0.text.count <= max(columns, 78) })
    }

    /// What a terminal gets of some lines.
    private func shown(_ environment: [String: String], _ show: (Screen) -> Void) throws -> String {
        // TIOCSPTLCK and TIOCGPTN, pty(7): unlocked, and which it is. Their macros are none that Swift imports.
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(master) }
        var (unlocked, number) = (CInt(0), CInt(0))
        try #require(
            master >= 0 && ioctl(master, 0x4004_5431, &unlocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0
        )
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        show(Screen(output: slave, environment: { environment[$0] }))
        // With the last one who has it open gone, its end follows what was written.
        close(slave)
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = read(master, &bytes, bytes.count), count > 0 { text += bytes.prefix(count) }
        return String(decoding: text, as: UTF8.self)
    }

    @Test("errors are red on a terminal; NO_COLOR takes colors away, TERM=dumb all commands")
    func colors() throws {
        let show = { (screen: Screen) in
            screen.update([ScreenLine("\u{1b}[2Jerrors", .bad)])
            screen.update([ScreenLine("more", .bad)])
        }
        let colored = try shown(["TERM": "xterm"], show)
        #expect(colored.contains("\u{1b}[31m?[2Jerrors\u{1b}[0m"), "what others say is no command")
        #expect(colored.contains("\u{1b}[J"))
        let plain = try shown(["TERM": "xterm", "NO_COLOR": "1"], show)
        #expect(!plain.contains("[31m") && plain.contains("\u{1b}[J"))
        for term in ["dumb", ""] {
            #expect(try !shown(["TERM": term], show).contains("\u{1b}"))
        }
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(_ text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
