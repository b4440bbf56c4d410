import Testing
import Text

@Suite("Times")
struct CivilTimeTests {
    @Test("times are written as RFC 3339 has them")
    func times() {
        #expect(CivilTime(secondsSince1970: 0).text == "1970-01-01T00:00:00Z")
        #expect(CivilTime(secondsSince1970: 1_775_479_323).text == "2026-04-06T12:42:03Z")
        #expect(CivilTime.text(nanosecondsSince1970: 1_709_164_800_007_999_999) == "2024-02-29T00:00:00.007Z")
    }
}
