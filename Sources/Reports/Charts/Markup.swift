/// A piece of HTML or SVG. Whatever a text holds, it is text when it is written: it ends no element and begins none.
indirect package enum Markup: Sendable, ExpressibleByStringInterpolation {
    case text(String)
    case element(String, [Attribute], [Markup])

    /// An attribute's name and value, not yet escaped.
    package struct Attribute: Sendable {
        package var name: String
        package var value: String
    }

    package init(stringLiteral value: String) { self = .text(value) }

    /// An element; attributes of nil are left out.
    package static func make(
        _ name: String,
        _ attributes: KeyValuePairs<String, String?> = [:],
        _ children: [Markup] = []
    ) -> Markup {
        .element(
            name,
            attributes.compactMap { name, value in value.map { Attribute(name: name, value: $0) } },
            children
        )
    }

    /// Elements of SVG that have no end tag of their own where they are empty. Those of HTML always need one.
    private static let selfClosing: Set = ["path", "line", "rect", "circle"]

    package var written: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .text(let content): Self.escape(content, to: &text)
        case .element(let name, let attributes, let children):
            text += "<\(name)"
            for attribute in attributes {
                text += " \(attribute.name)=\""
                Self.escape(attribute.value, to: &text)
                text += "\""
            }
            if children.isEmpty, Self.selfClosing.contains(name) {
                text += "/>"
                return
            }
            text += ">"
            for child in children { child.write(to: &text) }
            text += "</\(name)>"
        }
    }

    private static func escape(_ content: String, to text: inout String) {
        for scalar in content.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            // No document may hold them, whatever a file says.
            case "\0"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}", "\u{FFFE}", "\u{FFFF}": text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

/// A coordinate as SVG has it: tenths of a pixel.
func coordinate(_ value: Double) -> String {
    // What a damaged file says is drawn nowhere, and ends no program.
    guard abs(value) < 1e9 else { return "0" }
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}
