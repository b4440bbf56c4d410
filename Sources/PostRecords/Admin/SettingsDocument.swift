/// Settings as a JSON object: texts, but `max-idle` as a number and `late-bind` as true or false.
/// Numbers and texts are taken alike.
package struct SettingsDocument: Codable, Sendable {
    private enum Value: Codable {
        case text(String)
        case number(Int)
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            }
        }

        var text: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            case .flag(let flag): String(flag)
            }
        }
    }

    private var values: [String: Value]

    package init(_ settings: Settings) {
        values = [:]
        for name in Settings.names {
            let text = settings[name]!
            values[name] = Int(text).map { .number($0) } ?? Bool(text).map { .flag($0) } ?? .text(text)
        }
    }

    /// A document of some settings only.
    package init(_ changes: [SettingChange]) {
        values = Dictionary(changes.map { ($0.name, .text($0.text)) }, uniquingKeysWith: { $1 })
    }

    package init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: Value].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    /// The value of a setting as text; nil where the document has none.
    package subscript(name: String) -> String? { values[name]?.text }

    /// The settings named, in a fixed order.
    /// - Throws: ``Settings/Problem`` when one is unknown or cannot take its value.
    package func changes() throws(Settings.Problem) -> [SettingChange] {
        var changes: [SettingChange] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            changes.append(try SettingChange(name, value.text))
        }
        return changes
    }
}
