package import FanOut
internal import KernelProbe
internal import Limits
package import Memcached
internal import POSIX
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
        Setting("reuse-address", \.fanOut.socketOptions.reuse, text: \.rawValue, parse: AddressReuse.init(text:)),
        Setting("linger", \.fanOut.socketOptions.linger, text: \.rawValue, parse: Linger.init(text:)),
        Setting("local-port-range", \.fanOut.socketOptions.localPorts, text: orNone) { text throws(UnitTextError) in
            text == "none" ? nil : try LocalPortRange(text: text)
        },
        Setting("max-idle", \.fanOut.maxIdle, text: \.description) { text throws(UnitTextError) in
            try count(text, of: "connections")
        },
        Setting("close", \.fanOut.close, text: \.rawValue, parse: ClosingSide.init(text:)),
        Setting("max-open", \.fanOut.maxOpen, text: orNone) { text throws(UnitTextError) in
            text == "none" ? nil : try count(text, of: "connections", from: 1, or: "none")
        },
        Setting("open-wait", \.fanOut.openWait, text: \.text) { text throws(UnitTextError) in
            try time(text, from: .milliseconds(1))
        },
        Setting("lookup-timeout", \.fanOut.lookupTimeout, text: \.text) { text throws(UnitTextError) in
            try time(text, from: .milliseconds(1))
        },
        Setting("retries", \.fanOut.retries, text: \.description) { text throws(UnitTextError) in
            try count(text, of: "further attempts", to: FanOutSettings.mostRetries)
        },
        Setting("dedupe", \.fanOut.dedupe, text: \.description, parse: flag),
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

    /// Makes checked changes, in their order.
    package mutating func apply(_ changes: [SettingChange]) {
        for change in changes { change.apply(&self) }
    }

    /// Why settings say nothing together; nil when each has its effect.
    /// - Parameter named: those that were chosen, and not left at their defaults.
    package func conflict(among named: Set<String>) -> String? {
        let bindsAnAddress = fanOut.dialer.bindsAnAddress
        if fanOut.lateBind, !bindsAnAddress {
            return "late-bind=true has no effect with dialer=\(fanOut.dialer), which binds no address"
        }
        if fanOut.socketOptions.reuse != .off, !bindsAnAddress {
            return
                "reuse-address=\(fanOut.socketOptions.reuse) has no effect with dialer=\(fanOut.dialer), which binds no address"
        }
        if named.contains("open-wait"), fanOut.maxOpen == nil {
            return "open-wait has no effect with max-open=none, where no lookup waits for a connection"
        }
        if named.contains("log-sink"), logMode == .off || logMode == .metrics {
            return "log-sink has no effect with log-mode=\(logMode), which writes no lines"
        }
        return nil
    }

    private typealias AddressReuse = SocketOptions.AddressReuse
    private typealias Linger = SocketOptions.Linger

    private static func orNone(_ value: (some CustomStringConvertible)?) -> String { value?.description ?? "none" }

    /// The first setting that was changed and cannot have an effect with any of the servers; nil when there is none.
    package func misfit(_ servers: ServerList) -> Problem? {
        let defaults = Settings()
        func changed(_ names: [String]) -> String? { names.first { self[$0] != defaults[$0] } }
        if let family = fanOut.dialer.family, !servers.has(addressesOf: fanOut.dialer),
            let name = changed(["dialer", "late-bind"])
        {
            return Problem(
                setting: name,
                reason: "no memcached server has an \(family == .ipv4 ? "IPv4" : "IPv6") address, as "
                    + "dialer=\(fanOut.dialer) has; leave it out, or use dialer=kernel"
                    + (family == .ipv4 && servers.hasTCP ? ", bind:IP or rotate:PREFIX with IPv6 addresses" : "")
            )
        }
        if !servers.hasTCP, let name = changed(["reuse-address", "linger", "local-port-range", "close"]) {
            return Problem(
                setting: name,
                reason: "memcached is reached over a unix socket, which has no ports; leave it out"
            )
        }
        return nil
    }

    private static let serverOverIPv4 = ServerList([.ipv4(.loopback, port: 11211)])

    /// The same with one memcached over IPv4, as sweeps have it.
    package var misfitOverIPv4: Problem? { misfit(Self.serverOverIPv4) }

    /// Why this kernel cannot do what is asked for, and what to do; nil when it can.
    package var obstacle: Problem? {
        if let address = fanOut.dialer.sourceToArrange, LocalRoute.has(address) == false {
            let prefix = if case .rotateWithin(let prefix) = fanOut.dialer { "\(prefix)" } else { "\(address)" }
            return Problem(
                setting: "dialer",
                reason: "\(prefix) is not this machine's own, so that no answer would come to it; "
                    + "'ip route add local \(prefix) dev lo' makes it so"
            )
        }
        guard let ports = fanOut.socketOptions.localPorts else { return nil }
        if let range = try? PortRange.current(),
            Int(ports.highest) < range.lowestPort || Int(ports.lowest) > range.highestPort
        {
            return Problem(
                setting: "local-port-range",
                reason: "\(ports) has none of the ports in net.ipv4.ip_local_port_range, \(range.lowestPort) to "
                    + "\(range.highestPort), and the kernel would use all of them; choose among these"
            )
        }
        do throws(SystemCallError) {
            try ports.probe()
            return nil
        } catch {
            return Problem(
                setting: "local-port-range",
                reason: "this kernel cannot give one socket a range of ports (\(error)); it takes Linux 6.3 or later, "
                    + "or net.ipv4.ip_local_port_range for the whole namespace"
            )
        }
    }

    private static let uris: @Sendable (String) throws(UnitTextError) -> Int = { text throws(UnitTextError) in
        try count(text, of: "URIs", or: "0 for any")
    }

    private static let flag: @Sendable (String) throws(UnitTextError) -> Bool = { text throws(UnitTextError) in
        guard let value = Bool(text) else { throw UnitTextError(text: text, expected: "true or false") }
        return value
    }

    /// More connections than a kernel has descriptors for, and URIs than any bound admits.
    private static let largestCount = 10_000_000

    /// - Parameter alternative: what may stand in place of a number; looked at by the caller.
    private static func count(
        _ text: String,
        of what: String,
        from least: Int = 0,
        to largest: Int = largestCount,
        or alternative: String? = nil
    ) throws(UnitTextError) -> Int {
        guard let value = Int(text), (least...largest).contains(value) else {
            let range = "\(least) to \(largest)\(alternative.map { ", or \($0)" } ?? "")"
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
