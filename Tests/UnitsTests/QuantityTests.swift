import Testing
import Units

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "a duration reads its text and writes it back",
        arguments: ["500ms", "10s", "2m", "1h", "250us", "1ns", "0s"]
    )
    func durationRoundTrip(text: String) throws {
        #expect(try Duration(text: text).text == text)
    }

    @Test("a duration is written in the largest unit that leaves it whole")
    func durationShortest() throws {
        #expect(try Duration(text: "1000ms").text == "1s")
        #expect(try Duration(text: "1.5s").text == "1500ms")
        #expect(try Duration(text: "90s").text == "90s")
    }

    @Test("whole nanoseconds are right on both sides of what 64 bits of attoseconds hold, and below zero")
    func wholeNanoseconds() {
        for nanoseconds: Int64 in [0, 1, 999_999_999, 9_223_372_036, 9_223_372_037, 86_400_000_000_001] {
            #expect(Duration.nanoseconds(nanoseconds).wholeNanoseconds == nanoseconds)
            #expect(Duration.nanoseconds(-nanoseconds).wholeNanoseconds == -nanoseconds)
        }
        let finer = Duration(secondsComponent: 10, attosecondsComponent: 1_999_999_999)
        #expect(finer.wholeNanoseconds == 10_000_000_001)
    }

    @Test(
        "a text that is no duration is refused",
        arguments: ["", "10", "s", "-1s", "1e3s", "1 s", "10S", ".5s", "99999999h"]
    )
    func durationRefused(text: String) {
        #expect(throws: UnitTextError.self) { try Duration(text: text) }
    }

    @Test("a size reads its text and writes it back", arguments: ["512B", "64KiB", "16MiB", "2GiB", "0B", "1025B"])
    func sizeRoundTrip(text: String) throws {
        #expect(try ByteCount(text: text).description == text)
    }

    @Test(
        "a size with a decimal unit is refused, as nobody knows which kilo is meant",
        arguments: ["1KB", "1k", "1", "KiB"]
    )
    func sizeRefused(text: String) {
        #expect(throws: UnitTextError.self) { try ByteCount(text: text) }
    }

    @Test("a rate reads its text", arguments: [("2.5/s", 2.5), ("30/m", 0.5), ("1000/s", 1000)])
    func rate(text: String, perSecond: Double) throws {
        #expect(try Rate(text: text).perSecond == perSecond)
        #expect(try Rate(text: Rate(text: text).description).perSecond == perSecond)
    }

    @Test("a rate of zero or without a unit is refused", arguments: ["0/s", "5", "5/h", "/s"])
    func rateRefused(text: String) {
        #expect(throws: UnitTextError.self) { try Rate(text: text) }
    }

    @Test("an error says what was read and what would be right")
    func errorText() {
        let error = #expect(throws: UnitTextError.self) { try Duration(text: "10") }
        #expect(error?.description == "'10' is not a duration: write a number and a unit, as in 500ms, 10s or 2m")
    }
}
