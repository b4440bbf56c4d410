/// A second in UTC as date and time.
/// Days to civil date: H. Hinnant, chrono-compatible low-level date algorithms.
package struct CivilTime {
    private var year: Int64
    private var month: Int64
    private var day: Int64
    private var second: Int64

    /// - Parameter secondsSince1970: 0 or more.
    package init(secondsSince1970 seconds: Int64) {
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

    /// Bytes of its text.
    package static let length = 20

    /// Two digits for each number below 100, the first in the byte that lies first in memory.
    private static let digits = (0..<100).map { number in
        let (tens, ones) = (UInt16(number / 10), UInt16(number % 10))
        return UInt16(littleEndian: 0x3030 | tens | ones << 8)
    }

    /// A moment as `2026-04-06T12:00:00.000Z`.
    package static func text(nanosecondsSince1970 nanoseconds: UInt64) -> String {
        let milliseconds = String(1000 + nanoseconds / 1_000_000 % 1000).dropFirst()
        return "\(CivilTime(secondsSince1970: Int64(nanoseconds / 1_000_000_000)).text.dropLast()).\(milliseconds)Z"
    }

    /// As `2026-04-06T12:00:00Z` (RFC 3339).
    package var text: String {
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.length) { text, count in
            write(to: text.baseAddress!)
            count = Self.length
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes it as `2026-04-06T12:00:00Z` (RFC 3339), ``length`` bytes.
    package func write(to text: UnsafeMutablePointer<UInt8>) {
        let text = UnsafeMutableRawPointer(text)
        Self.digits.withUnsafeBufferPointer { digits in
            func two(_ number: Int64, at offset: Int, then separator: UInt8? = nil) {
                text.storeBytes(of: digits[Int(number)], toByteOffset: offset, as: UInt16.self)
                if let separator { text.storeBytes(of: separator, toByteOffset: offset + 2, as: UInt8.self) }
            }
            two(year / 100, at: 0)
            two(year % 100, at: 2, then: UInt8(ascii: "-"))
            two(month, at: 5, then: UInt8(ascii: "-"))
            two(day, at: 8, then: UInt8(ascii: "T"))
            two(second / 3600, at: 11, then: UInt8(ascii: ":"))
            two(second / 60 % 60, at: 14, then: UInt8(ascii: ":"))
            two(second % 60, at: 17, then: UInt8(ascii: "Z"))
        }
    }

    /// The seconds since 1970 of a time as ``write(to:)`` writes it; nil for any other text, and before 1970.
    /// Civil date to days: H. Hinnant, chrono-compatible low-level date algorithms.
    package static func seconds(of text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == length else { return nil }
        let form = Array("0000-00-00T00:00:00Z".utf8)
        for (byte, wanted) in zip(bytes, form) {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard wanted == UInt8(ascii: "0") ? isDigit : byte == wanted else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard year >= 1970, (1...12).contains(month), hour < 24, minute < 60, second < 60 else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let seconds = (era * 146_097 + dayOfEra - 719_468) * 86400 + hour * 3600 + minute * 60 + second
        // What reads back as another day was none: the 31st of April.
        let civil = CivilTime(secondsSince1970: seconds)
        return civil.day == day && civil.month == month ? seconds : nil
    }
}
