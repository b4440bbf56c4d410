internal import Text
internal import Yams

/// Reads YAML nodes and notes everything that is wrong with them, with line and column.
struct YAMLReader {
    private(set) var problems: [ScenarioProblem] = []

    mutating func complain(_ node: Node, _ message: String) {
        problems.append(ScenarioProblem(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, message: message))
    }

    /// The entries of a mapping with known keys; unknown and repeated ones are noted.
    mutating func mapping(_ node: Node, _ what: String, keys: [String]) -> [String: Node] {
        guard let mapping = node.mapping else {
            complain(node, "\(what) should be a mapping of \(keys.joined(separator: ", "))")
            return [:]
        }
        var entries: [String: Node] = [:]
        for (key, value) in mapping {
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
        return mapping.compactMap { key, value in key.string.map { (key, $0, value) } }
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
