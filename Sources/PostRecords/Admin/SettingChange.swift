/// One setting and a value it can take: whoever has one need not check it again.
package struct SettingChange: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    /// The value as it was written.
    package let text: String
    let apply: @Sendable (inout Settings) -> Void

    /// - Throws: ``Settings/Problem`` naming the setting and what it takes.
    package init(_ name: String, _ text: String) throws(Settings.Problem) {
        guard let setting = Settings.table.first(where: { $0.name == name }) else {
            let names = Settings.names.joined(separator: ", ")
            throw Settings.Problem(setting: nil, reason: "'\(name)' is not a setting; there are \(names)")
        }
        do {
            apply = try setting.parse(text)
        } catch {
            throw Settings.Problem(setting: name, reason: "\(error)")
        }
        self.name = name
        self.text = text
    }

    package var description: String { "\(name) = \(text)" }

    package static func == (left: Self, right: Self) -> Bool { left.name == right.name && left.text == right.text }
}
