internal import Text
package import Units

/// A command with placeholders, as in `./server --limit {limit}`. It is split into words as a shell does, with quotes and
/// backslashes, but no shell runs it: a value is part of one word whatever is in it. `{{limit}}` stands for `{limit}`.
package struct CommandTemplate: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case text(String)
        case placeholder(String)
    }

    private let words: [[Piece]]

    /// - Throws: ``UnitTextError`` for an empty command and a quote that does not end.
    package init(text: String) throws(UnitTextError) {
        var words: [[Piece]] = []
        for word in try Self.split(text) { words.append(Self.pieces(of: word)) }
        guard !words.isEmpty else { throw UnitTextError(text: text, expected: "a command: it has no words") }
        self.words = words
    }

    /// The names in it, each once.
    package var placeholders: [String] {
        var seen: Set<String> = []
        return words.joined().compactMap { piece in
            if case .placeholder(let name) = piece, seen.insert(name).inserted { name } else { nil }
        }
    }

    /// The words with the values put in; a placeholder without one is left as it is.
    package func words(_ values: [String: String]) -> [String] {
        words.map { word in
            word.map { piece in
                switch piece {
                case .text(let text): text
                case .placeholder(let name): values[name] ?? "{\(name)}"
                }
            }.joined()
        }
    }

    /// Whether a text can stand between the braces.
    package static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    private static func pieces(of word: String) -> [Piece] {
        var pieces: [Piece] = []
        var text = ""
        var rest = word[...]
        while let open = rest.firstIndex(of: "{") {
            text += rest[..<open]
            rest = rest[open...]
            let isLiteral = rest.hasPrefix("{{")
            let inside = rest.dropFirst(isLiteral ? 2 : 1)
            let name = inside.prefix { $0 != "}" && $0 != "{" }
            let end = isLiteral ? "}}" : "}"
            guard isName(name), inside[name.endIndex...].hasPrefix(end) else {
                text.append(rest.removeFirst())
                continue
            }
            rest = inside[name.endIndex...].dropFirst(end.count)
            if isLiteral {
                text += "{\(name)}"
            } else {
                if !text.isEmpty { pieces.append(.text(text)) }
                pieces.append(.placeholder(String(name)))
                text = ""
            }
        }
        text += rest
        if !text.isEmpty || pieces.isEmpty { pieces.append(.text(text)) }
        return pieces
    }

    /// Words as POSIX shells find them, of quoting alone.
    private static func split(_ text: String) throws(UnitTextError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                // Between double quotes it stands for itself before all but these.
                if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let complete = word { words.append(complete) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else {
            throw UnitTextError(text: text, expected: "a command: a quote in it does not end")
        }
        return words + [word].compactMap { $0 }
    }
}
