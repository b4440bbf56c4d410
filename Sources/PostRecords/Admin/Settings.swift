package import FanOut
internal import Limits
internal import Memcached
package import Telemetry
internal import Units

/// All that can be changed while the server runs, under the names of command line, scenario
/// files and `/admin/settings`.
package struct Settings: Sendable, Equatable {
    package var fanOut = FanOutSettings()
    package var guards = RequestGuards()
    package var logMode = LogMode.blocking
    package var logSink = LogSink.standardError
    /// How long the database behind the cache takes for a record.
    package var storeLatency = Duration.milliseconds(2)

    package init() {}

    /// The names, in the order they are shown.
    package static let names = [
        "limit", "fanout", "dialer", "late-bind", "max-idle", "lookup-timeout", "log-mode", "log-sink",
        "store-latency", "max-batch", "max-per-caller",
    ]

    /// A setting that is unknown, or a value it cannot take.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The value of a setting as text; nil for a name that is not one.
    package subscript(name: String) -> String? {
        switch name {
        case "limit": fanOut.limit.description
        case "fanout": fanOut.fanout.description
        case "dialer": fanOut.dialer.description
        case "late-bind": fanOut.lateBind.description
        case "max-idle": String(fanOut.maxIdle)
        case "lookup-timeout": fanOut.lookupTimeout.text
        case "log-mode": logMode.description
        case "log-sink": logSink.description
        case "store-latency": storeLatency.text
        case "max-batch": String(guards.maxBatch)
        case "max-per-caller": String(guards.maxPerCaller)
        default: nil
        }
    }

    /// Sets one setting from its text.
    /// - Throws: ``Problem`` naming the setting and what it takes; nothing has changed then.
    package mutating func set(_ name: String, to text: String) throws(Problem) {
        do throws(UnitTextError) {
            switch name {
            case "limit": fanOut.limit = try LimitPolicy(text: text)
            case "fanout": fanOut.fanout = try FanoutPolicy(text: text)
            case "dialer": fanOut.dialer = try Dialer(text: text)
            case "late-bind":
                guard let value = Bool(text) else { throw UnitTextError(text: text, expected: "true or false") }
                fanOut.lateBind = value
            case "max-idle":
                guard let value = Int(text), value >= 0 else {
                    throw UnitTextError(text: text, expected: "a number of connections, 0 or more")
                }
                fanOut.maxIdle = value
            case "lookup-timeout":
                let value = try Duration(text: text)
                guard value >= .milliseconds(1) else {
                    throw UnitTextError(text: text, expected: "a timeout of 1ms or more")
                }
                fanOut.lookupTimeout = value
            case "log-mode": logMode = try LogMode(text: text)
            case "log-sink": logSink = try LogSink(text: text)
            case "store-latency": storeLatency = try Duration(text: text)
            case "max-batch": guards.maxBatch = try Self.uris(text)
            case "max-per-caller": guards.maxPerCaller = try Self.uris(text)
            default:
                let names = Self.names.joined(separator: ", ")
                throw UnitTextError(text: name, expected: "a setting; there are \(names)")
            }
        } catch {
            throw Problem(description: Self.names.contains(name) ? "\(name): \(error)" : "\(error)")
        }
    }

    /// Why settings say nothing together; nil when each has its effect.
    /// - Parameter named: those that were chosen, and not left at their defaults.
    package func conflict(among named: Set<String>) -> String? {
        let bindsAnAddress =
            switch fanOut.dialer {
            case .bind, .rotate: true
            case .kernel, .rotateDestination: false
            }
        if fanOut.lateBind, !bindsAnAddress {
            return "late-bind=true has no effect with dialer=\(fanOut.dialer), which binds no address"
        }
        if named.contains("log-sink"), logMode == .off || logMode == .metrics {
            return "log-sink has no effect with log-mode=\(logMode), which writes no lines"
        }
        return nil
    }

    private static func uris(_ text: String) throws(UnitTextError) -> Int {
        guard let value = Int(text), value >= 0 else {
            throw UnitTextError(text: text, expected: "a number of URIs, 0 for any")
        }
        return value
    }
}
