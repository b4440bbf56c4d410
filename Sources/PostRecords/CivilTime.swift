/// A second in UTC as date and time.
/// Days to civil date: H. Hinnant, chrono-compatible low-level date algorithms.
struct CivilTime {
    private var year: Int64
    private var month: Int64
    private var day: Int64
    private var second: Int64

    /// - Parameter secondsSince1970: 0 or more.
    init(secondsSince1970 seconds: Int64) {
        second = seconds % 86400
        let shifted = seconds / 86400 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Appends it as `2026-04-06T12:00:00Z` (RFC 3339).
    func append(to text: inout [UInt8]) {
        func two(_ number: Int64, then separator: UInt8) {
            text.append(UInt8(ascii: "0") + UInt8(number / 10))
            text.append(UInt8(ascii: "0") + UInt8(number % 10))
            text.append(separator)
        }
        text.append(UInt8(ascii: "0") + UInt8(year / 1000))
        text.append(UInt8(ascii: "0") + UInt8(year / 100 % 10))
        two(year % 100, then: UInt8(ascii: "-"))
        two(month, then: UInt8(ascii: "-"))
        two(day, then: UInt8(ascii: "T"))
        two(second / 3600, then: UInt8(ascii: ":"))
        two(second / 60 % 60, then: UInt8(ascii: ":"))
        two(second % 60, then: UInt8(ascii: "Z"))
    }
}
