internal import Glibc

/// One error as the incident's service logged it, a JSON object on a line of its own.
package struct ErrorLine: Sendable, Equatable {
    package var message: String
    package var uri: String
    package var error: String
    /// Who asked for the batch.
    package var client: String

    package init(message: String, uri: String, error: String, client: String) {
        self.message = message
        self.uri = uri
        self.error = error
        self.client = client
    }

    func encoded() -> [UInt8] {
        LogLine.encode(
            level: "ERROR",
            message,
            [("uri", .text(uri)), ("client", .text(client)), ("error", .text(error))]
        )
    }
}

/// A line of the log: time, level, message and fields as a JSON object.
enum LogLine {
    enum Value {
        case text(String)
        case number(Int)
    }

    /// The line with its line end, stamped with the present time in UTC.
    static func encode(level: String, _ message: String, _ fields: [(name: String, value: Value)]) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(320)
        line += "{\"time\":\"".utf8
        appendTime(to: &line)
        line += "\",\"level\":\"".utf8
        line += level.utf8
        line += "\",\"msg\":".utf8
        appendQuoted(message, to: &line)
        for field in fields {
            line.append(UInt8(ascii: ","))
            appendQuoted(field.name, to: &line)
            line.append(UInt8(ascii: ":"))
            switch field.value {
            case .text(let text): appendQuoted(text, to: &line)
            case .number(let number): line += String(number).utf8
            }
        }
        line += "}\n".utf8
        return line
    }

    private static func appendTime(to line: inout [UInt8]) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func append(_ number: Int, digits: Int, then separator: Character) {
            let text = String(number)
            line += repeatElement(UInt8(ascii: "0"), count: max(0, digits - text.utf8.count))
            line += text.utf8
            line += separator.utf8
        }
        append(Int(parts.tm_year) + 1900, digits: 4, then: "-")
        append(Int(parts.tm_mon) + 1, digits: 2, then: "-")
        append(Int(parts.tm_mday), digits: 2, then: "T")
        append(Int(parts.tm_hour), digits: 2, then: ":")
        append(Int(parts.tm_min), digits: 2, then: ":")
        append(Int(parts.tm_sec), digits: 2, then: ".")
        append(now.tv_nsec / 1_000_000, digits: 3, then: "Z")
    }

    /// JSON string quoting (RFC 8259 section 7).
    private static func appendQuoted(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                line.append(UInt8(ascii: "\\"))
                line.append(byte)
            case 0..<0x20:
                let hex = String(byte, radix: 16)
                line += "\\u00\(hex.utf8.count == 1 ? "0" : "")\(hex)".utf8
            default:
                line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
