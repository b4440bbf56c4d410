/// Writes metrics in the Prometheus text format, version 0.0.4: each family once, with its help and type.
package struct PrometheusText {
    package enum Kind: String {
        case counter, gauge
    }

    package private(set) var text = ""

    package init() {}

    /// Adds a family.
    /// - Parameters:
    ///   - name: in base units, counters ending in `_total`.
    ///   - samples: label pairs and value; no pairs for a family of one.
    package mutating func add(
        _ name: String,
        _ kind: Kind,
        help: String,
        _ samples: [(labels: [(name: String, value: String)], value: Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            let value = sample.value
            let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
            text += labels.isEmpty ? "\(name) \(number)\n" : "\(name){\(labels)} \(number)\n"
        }
    }

    /// Adds a family of one sample without labels.
    package mutating func add(_ name: String, _ kind: Kind, help: String, _ value: Int) {
        add(name, kind, help: help, [([], Double(value))])
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
