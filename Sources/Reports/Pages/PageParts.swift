internal import Text

/// What pages are put together from.
enum PageParts {
    static func heading(_ text: String, note: String = "") -> [Markup] {
        [.make("h2", [:], [.text(text)])] + (note.isEmpty ? [] : [.make("p", ["class": "soft"], [.text(note)])])
    }

    /// What a cell holds, and whether that is good or bad; nil for neither.
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var isGood: Bool?
        var note = ""

        init(_ text: String, isGood: Bool? = nil, note: String = "") {
            self.text = text
            self.isGood = isGood
            self.note = note
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    /// A table whose first column names its rows.
    /// - Parameter textColumns: those of text, beside the first.
    static func table(
        id: String? = nil,
        caption: String? = nil,
        _ header: [String],
        _ rows: [[Cell]],
        textColumns: Set<Int> = []
    ) -> Markup {
        func name(_ column: Int) -> String? { textColumns.contains(column) ? "text" : nil }
        let head = header.enumerated().map { column, text in
            Markup.make("th", ["scope": "col", "class": name(column)], [.text(text)])
        }
        let body = rows.map { row in
            Markup.make(
                "tr",
                [:],
                row.enumerated().map { column, cell in
                    let text = Markup.text(cell.text)
                    let marked = cell.isGood.map { .make("span", ["class": $0 ? "good" : "bad"], [text]) } ?? text
                    let note = cell.note.isEmpty ? [] : [Markup.make("small", [:], [.text(cell.note)])]
                    return column == 0
                        ? .make("th", ["scope": "row"], [marked] + note)
                        : .make("td", ["class": name(column)], [marked] + note)
                }
            )
        }
        return .make(
            "div",
            ["class": "wide-table"],
            [
                .make(
                    "table",
                    ["id": id],
                    (caption.map { [.make("caption", [:], [.text($0)])] } ?? [])
                        + [.make("thead", [:], [.make("tr", [:], head)]), .make("tbody", [:], body)]
                )
            ]
        )
    }

    static func text(_ number: Double?) -> String { number.map(rounded) ?? "–" }
    static func text(_ number: Int?) -> String { number.map(grouped) ?? "–" }
    static func percent(_ number: Double?) -> String { number.map { "\(rounded($0))%" } ?? "–" }
}
