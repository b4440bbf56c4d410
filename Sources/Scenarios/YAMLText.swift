internal import Yams

/// The text of a YAML file, and where in it what is wrong with it stands.
enum YAMLText {
    /// A key that no file has.
    private static let placeholder = "\u{e000}"

    /// Bytes as text, without the mark of their order that editors on other systems put first (YAML 1.2, 5.2).
    /// - Throws: ``ScenarioProblem`` at the first of them that is not UTF-8.
    static func decode(_ bytes: [UInt8]) throws(ScenarioProblem) -> String {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let bytes = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var (line, column) = (1, 1)
        var decoder = UTF8()
        var rest = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&rest) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        throw ScenarioProblem(
            line: line,
            column: column,
            message: "the file is not UTF-8 from here on; save it as UTF-8"
        )
    }

    /// - Throws: ``ScenarioProblem`` where the text is no YAML of one document.
    static func root(_ text: String) throws(ScenarioProblem) -> Node {
        do {
            if let node = try compose(yaml: text) { return node }
        } catch let error as YamlError {
            throw problem(error, in: text)
        } catch {
            throw ScenarioProblem(line: 1, column: 1, message: "\(error)")
        }
        throw ScenarioProblem(line: 1, column: 1, message: "the file is empty")
    }

    private static func problem(_ error: YamlError, in text: String) -> ScenarioProblem {
        func at(_ mark: Mark, _ message: String) -> ScenarioProblem {
            ScenarioProblem(line: mark.line, column: mark.column, message: message)
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return at(mark, problem)
        case .reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            let line = before.count { $0.isNewline } + 1
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            return ScenarioProblem(line: line, column: column, message: problem)
        case .duplicatedKeysInMapping(let keys, let context):
            let key = keys.first ?? ""
            let (line, column) = position(ofSecond: key, first: context.mark, in: text)
            return ScenarioProblem(line: line, column: column, message: "'\(key)' is there already")
        default:
            return ScenarioProblem(line: 1, column: 1, message: "\(error)")
        }
    }

    /// Where a key stands the second time in a mapping, of which Yams tells the first. With the first one made another,
    /// either there is a third, and now the second is told, or the text can be read and looked through.
    private static func position(ofSecond key: String, first: Mark, in text: String) -> (line: Int, column: Int) {
        var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map { Array($0.unicodeScalars) }
        guard lines.indices.contains(first.line - 1), first.column <= lines[first.line - 1].count else {
            return (first.line, first.column)
        }
        let quote = ["\"", "'"].contains(lines[first.line - 1][first.column - 1])
        lines[first.line - 1].insert(Unicode.Scalar(0xe000)!, at: first.column - (quote ? 0 : 1))
        let changed = lines.map { line in String(String.UnicodeScalarView(line)) }.joined(separator: "\n")
        var found: Mark?
        do {
            found = try compose(yaml: changed).flatMap { self.position(of: key, besidePlaceholderIn: $0) }
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) where keys.first == key {
            found = context.mark
        } catch {}
        guard let found else { return (first.line, first.column) }
        return (found.line, found.line == first.line ? found.column - 1 : found.column)
    }

    private static func position(of key: String, besidePlaceholderIn root: Node) -> Mark? {
        var waiting = [root]
        // Aliases make many of one node: each is looked at once.
        var seen: Set<String> = []
        while let node = waiting.popLast() {
            guard seen.insert("\(node.mark?.description ?? "")").inserted else { continue }
            for (name, value) in node.mapping ?? [:] {
                if name.string?.hasPrefix(placeholder) == true {
                    return node.mapping?.keys.first { $0.string == key }?.mark
                }
                waiting += [name, value]
            }
            waiting += node.sequence ?? []
        }
        return nil
    }
}
