/// Writes metrics in the Prometheus text format, version 0.0.4: each family once, with its help and type.
package struct PrometheusText {
    /// A metric's type, by its name in the format.
    package enum Kind: String {
        case counter, gauge, histogram
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
            write(name, sample.labels, sample.value)
        }
    }

    /// Adds a family of histograms.
    /// - Parameter name: in base units.
    package mutating func add(
        _ name: String,
        help: String,
        _ histograms: [(labels: [(name: String, value: String)], value: BucketHistogram)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(Kind.histogram.rawValue)\n"
        for (labels, histogram) in histograms {
            var below = 0
            for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
                below += count
                write("\(name)_bucket", labels + [("le", Self.number(bound))], Double(below))
            }
            write("\(name)_sum", labels, histogram.sum)
            write("\(name)_count", labels, Double(below))
        }
    }

    private mutating func write(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        let labels = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += labels.isEmpty ? name : "\(name){\(labels)}"
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
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
