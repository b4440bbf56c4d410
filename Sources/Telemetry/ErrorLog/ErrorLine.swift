internal import POSIX
internal import Text

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
        line += CivilTime.text(nanosecondsSince1970: RealTime.nanosecondsSince1970).utf8
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

    /// JSON string quoting (RFC 8259 section 7). What is not printable is escaped, of whatever length it is in UTF-8: a
    /// log is read on terminals.
    private static func appendQuoted(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        // Nearly every text.
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        {
            line += text.utf8
            return line.append(UInt8(ascii: "\""))
        }
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                line.append(UInt8(ascii: "\\"))
                line.append(UInt8(scalar.value))
            } else if scalar.isPrintable {
                line += UTF8.encode(scalar)!
            } else {
                for unit in UTF16.encode(scalar)! {
                    let hex = String(unit, radix: 16)
                    line += "\\u\(String(repeating: "0", count: 4 - hex.utf8.count))\(hex)".utf8
                }
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
