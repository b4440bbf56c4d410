import Testing
import Text

@Suite("Tables")
struct TextTableTests {
    @Test("columns are as wide as what stands in them, numbers to the right")
    func table() {
        var table = TextTable(header: ["name", "n"])
        table.add(["a", "1,234"])
        table.add(["longer", "5"])
        #expect(table.lines == ["name        n", "a       1,234", "longer      5"])
    }

    @Test(
        "numbers are written for a reader",
        arguments: [
            (1234567.0, "1,234,567"), (0, "0"), (12.345, "12.3"), (1.234, "1.23"), (999.94, "1,000"), (429.4, "429"),
            (-1500, "-1,500"), (1e300, "1e+300"), (.infinity, "inf"),
        ]
    )
    func numbers(number: Double, text: String) {
        #expect(rounded(number) == text)
    }
}
