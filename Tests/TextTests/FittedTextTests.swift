import Testing
import Text

@Suite("Fitted text")
struct FittedTextTests {
    @Test("lines are broken between words, further ones are indented, and what the first begins with stays")
    func wrapped() {
        #expect("  one two three four".wrapped(to: 9, indent: "    ") == ["  one two", "    three", "    four"])
        #expect("one two".wrapped(to: 80) == ["one two"])
        #expect("one two".wrapped(to: nil) == ["one two"])
        #expect("".wrapped(to: 5) == [""])
        #expect("abcdefghij kl".wrapped(to: 4, indent: " ") == ["abcd", " efg", " hij", " kl"])
    }

    @Test("nothing is lost and no line is too long, whatever the words", arguments: 4..<30)
    func complete(width: Int) {
        let text =
            "   pass incident: clients.a-name-of-many-letters.slo.percent > 99 (observed 1) "
            + String(repeating: "x", count: 70)
        let lines = text.wrapped(to: width, indent: "  ")
        #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
        #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
    }

    @Test("what is too long loses its middle", arguments: [(10, "abcdefghij"), (5, "ab…ij"), (4, "ab…j"), (1, "…")])
    func shortened(width: Int, text: String) {
        #expect("abcdefghij".shortened(to: width) == text)
    }

    @Test("columns that do not fit stand in a block of their own, with the names again")
    func table() {
        var table = TextTable(header: ["", "first", "second"])
        table.add(["lookups", "1", "22"])
        #expect(table.lines == ["         first  second", "lookups      1      22"])
        #expect(
            table.lines(fitting: 16) == ["         first", "lookups      1", "", "         second", "lookups      22"]
        )
    }
}
