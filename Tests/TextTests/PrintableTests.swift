import Testing
import Text

@Suite("Printable text")
struct PrintableTests {
    @Test(
        "what a terminal would take for a command, and what is not seen, becomes a question mark",
        arguments: [
            ("feed-generator", "feed-generator"), ("größe ☕ 日本", "größe ☕ 日本"), ("", ""),
            ("a\u{1b}[2Jb", "a?[2Jb"), ("a\u{9b}2J", "a?2J"), ("\u{85}\u{7f}\u{0}", "???"),
            ("\u{202e}txt.exe", "?txt.exe"), ("a\u{2066}b\u{2069}", "a?b?"), ("a\u{200b}b\u{feff}", "a?b?"),
            ("a\u{2028}b\u{2029}", "a?b?"), ("a\nb\tc", "a?b?c"), ("\u{ad}\u{3164}\u{e0041}\u{fe0f}", "????"),
        ]
    )
    func replaced(text: String, shown: String) {
        #expect(text.printable == shown)
    }

    @Test("text of several lines keeps its lines")
    func lines() {
        #expect("a\n\tb\u{1b}".printableLines == "a\n\tb?")
    }

    @Test("a text cut to so many bytes ends before the character that does not fit, marks on it included")
    func cut() {
        let marks = "a" + String(repeating: "\u{301}", count: 30_000)
        #expect(marks.printable(bytes: 64).utf8.count == 63)
        #expect(String(repeating: "日", count: 30).printable(bytes: 64).utf8.count == 63)
        #expect("\u{9b}\u{9b}".printable(bytes: 64) == "??")
        #expect("short".printable(bytes: 64) == "short")
    }
}
