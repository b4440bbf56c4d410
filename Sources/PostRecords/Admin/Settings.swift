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

    /// One setting: its name, its value as text, and how a text is read.
    struct Setting: Sendable {
        var name: String
        var text: @Sendable (Settings) -> String
        var parse: @Sendable (String) throws(UnitTextError) -> @Sendable (inout Settings) -> Void

        init<Value: Sendable>(
            _ name: String,
            _ value: any WritableKeyPath<Settings, Value> & Sendable,
            text: @escaping @Sendable (Value) -> String,
            parse: @escaping @Sendable (String) throws(UnitTextError) -> Value
        ) {
            self.name = name
            self.text = { text($0[keyPath: value]) }
            self.parse = { given throws(UnitTextError) in
                let parsed = try parse(given)
                return { $0[keyPath: value] = parsed }
            }
        }
    }

    /// All settings, in the order they are shown. A new one is a row here, an option in `SettingOptions`, and a paragraph
    /// in the README.
    static let table = [
        Setting("limit", \.fanOut.limit, text: \.description, parse: LimitPolicy.init(text:)),
        Setting("fanout", \.fanOut.fanout, text: \.description, parse: FanoutPolicy.init(text:)),
        Setting("dialer", \.fanOut.dialer, text: \.description, parse: Dialer.init(text:)),
        Setting("late-bind", \.fanOut.lateBind, text: \.description, parse: flag),
        Setting("max-idle", \.fanOut.maxIdle, text: \.description) { text throws(UnitTextError) in
            try count(text, of: "connections")
        },
        Setting("lookup-timeout", \.fanOut.lookupTimeout, text: \.text) { text throws(UnitTextError) in
            try time(text, from: .milliseconds(1))
        },
        Setting("log-mode", \.logMode, text: \.description, parse: LogMode.init(text:)),
        Setting("log-sink", \.logSink, text: \.description, parse: LogSink.init(text:)),
        Setting("store-latency", \.storeLatency, text: \.text) { text throws(UnitTextError) in
            try time(text, from: .zero)
        },
        Setting("max-batch", \.guards.maxBatch, text: \.description, parse: uris),
        Setting("max-per-caller", \.guards.maxPerCaller, text: \.description, parse: uris),
    ]

    package static let names = table.map(\.name)

    /// A setting that is unknown, or a value it cannot take.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// Nil when there is no setting of that name, and for several settings together.
        package var setting: String?
        package var reason: String

        package init(setting: String?, reason: String) {
            self.setting = setting
            self.reason = reason
        }

        package var description: String { setting.map { "\($0): \(reason)" } ?? reason }
    }

    /// The value of a setting as text; nil for a name that is not one.
    package subscript(name: String) -> String? {
        Self.table.first { $0.name == name }.map { $0.text(self) }
    }

    /// Sets one setting from its text.
    /// - Throws: ``Problem`` naming the setting and what it takes; nothing has changed then.
    package mutating func set(_ name: String, to text: String) throws(Problem) {
        apply([try SettingChange(name, text)])
    }

    package mutating func apply(_ changes: [SettingChange]) {
        for change in changes { change.apply(&self) }
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

    private static let uris: @Sendable (String) throws(UnitTextError) -> Int = { text throws(UnitTextError) in
        try count(text, of: "URIs", orAny: true)
    }

    private static let flag: @Sendable (String) throws(UnitTextError) -> Bool = { text throws(UnitTextError) in
        guard let value = Bool(text) else { throw UnitTextError(text: text, expected: "true or false") }
        return value
    }

    /// More connections than a kernel has descriptors for, and URIs than any bound admits.
    private static let largestCount = 10_000_000

    private static func count(_ text: String, of what: String, orAny: Bool = false) throws(UnitTextError) -> Int {
        guard let value = Int(text), (0...largestCount).contains(value) else {
            let range = orAny ? "1 to \(largestCount), 0 for any" : "0 to \(largestCount)"
            throw UnitTextError(text: text, expected: "a number of \(what): use \(range)")
        }
        return value
    }

    private static let longestTime = Duration.seconds(3600)

    private static func time(_ text: String, from shortest: Duration) throws(UnitTextError) -> Duration {
        let time = try Duration(text: text)
        guard (shortest...longestTime).contains(time) else {
            throw UnitTextError(text: text, expected: "a time to wait: use \(shortest.text) to \(longestTime.text)")
        }
        return time
    }
}
