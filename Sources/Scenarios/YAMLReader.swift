internal import Text
internal import Yams

/// Reads YAML nodes and notes everything that is wrong with them, with line and column.
struct YAMLReader {
    private(set) var problems: [ScenarioProblem] = []
    /// What several mappings take from one is wrong once.
    private var known: Set<ScenarioProblem> = []

    mutating func complain(_ node: Node, _ message: String) {
        let problem = ScenarioProblem(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, message: message)
        if known.insert(problem).inserted { problems.append(problem) }
    }

    /// The pairs of a mapping, and those it takes by `<<` from one other or several: its own come first, then those of
    /// the first named. yaml.org/type/merge.html
    private mutating func pairs(_ mapping: Node.Mapping) -> [(key: Node, value: Node)] {
        var pairs: [(key: Node, value: Node)] = []
        var names: Set<String> = []
        var waiting = [mapping]
        // One that is taken twice brings nothing new.
        var taken: Set<String> = []
        while let mapping = waiting.popLast() {
            var others: [Node.Mapping] = []
            for (key, value) in mapping {
                guard key.string == "<<", key.scalar?.style == .plain else {
                    if names.insert(key.string ?? "").inserted { pairs.append((key, value)) }
                    continue
                }
                let sources = value.sequence.map { Array($0) } ?? [value]
                for source in sources {
                    guard let other = source.mapping else {
                        complain(source, "'<<' takes a mapping, or a list of mappings")
                        continue
                    }
                    if taken.insert(other.mark?.description ?? "").inserted { others.append(other) }
                }
            }
            waiting += others.reversed()
        }
        return pairs
    }

    /// The entries of a mapping with known keys; unknown and repeated ones are noted.
    mutating func mapping(_ node: Node, _ what: String, keys: [String]) -> [String: Node] {
        guard let mapping = node.mapping else {
            complain(node, "\(what) should be a mapping of \(keys.joined(separator: ", "))")
            return [:]
        }
        var entries: [String: Node] = [:]
        for (key, value) in pairs(mapping) {
            let name = key.string ?? ""
            guard keys.contains(name) else {
                let hint = nearest(name, of: keys).map { "did you mean '\($0)'?" }
                complain(key, "\(what) has no '\(name)'; \(hint ?? "there are \(keys.joined(separator: ", "))")")
                continue
            }
            entries[name] = value
        }
        return entries
    }

    /// The entries of a mapping whose keys are free, in order.
    mutating func entries(_ node: Node, _ what: String) -> [(key: Node, name: String, value: Node)] {
        guard let mapping = node.mapping else {
            complain(node, "\(what) should be a mapping of names to values")
            return []
        }
        return pairs(mapping).compactMap { key, value in key.string.map { (key, $0, value) } }
    }

    mutating func list(_ node: Node, _ what: String) -> [Node] {
        guard let sequence = node.sequence else {
            complain(node, "\(what) should be a list")
            return []
        }
        return Array(sequence)
    }

    mutating func text(_ node: Node, _ what: String) -> String? {
        if let text = node.scalar?.string { return text }
        complain(node, "\(what) should be a text")
        return nil
    }

    /// A text that is shown as a name.
    mutating func name(_ node: Node, _ what: String) -> String? {
        guard let name = text(node, what) else { return nil }
        if let scalar = name.unicodeScalars.first(where: { !$0.isPrintable }) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            complain(node, "\(what): '\(name.printable)' has a character that is not shown, U+\(code)")
            return nil
        }
        return name
    }

    /// A value read from its text; what its reader throws is noted.
    mutating func value<Value>(_ node: Node, _ what: String, _ read: (String) throws -> Value) -> Value? {
        guard let text = text(node, what) else { return nil }
        do {
            return try read(text)
        } catch {
            complain(node, "\(what): \(error)")
            return nil
        }
    }
}
