internal import ArgumentParser
package import PostRecords

/// The settings as options, under the names they have everywhere.
package struct SettingOptions: ParsableArguments {
    @Option(
        help: """
            Lookups in flight at once: none, request:N, process:N, fair:N, aimd, vegas or gradient2; what is adjustable \
            follows a colon, as in aimd:min=20,max=200.
            """
    )
    package var limit = SettingOptions.standard("limit")

    @Option(help: "One get for each URI, or for many: per-uri or multiget:CHUNK.")
    package var fanout = SettingOptions.standard("fanout")

    @Option(help: "Addresses dialled from and to: kernel, bind:IP, rotate, rotate:PREFIX or rotate-destination.")
    package var dialer = SettingOptions.standard("dialer")

    @Option(help: "Let connect() choose the port of a bound address (IP_BIND_ADDRESS_NO_PORT): true or false.")
    package var lateBind = SettingOptions.standard("late-bind")

    @Option(help: "What dialled sockets share: off, address (SO_REUSEADDR) or port (SO_REUSEPORT).")
    package var reuseAddress = SettingOptions.standard("reuse-address")

    @Option(help: "What closing a connection does: off ends it, rst resets it (SO_LINGER), without a TIME_WAIT.")
    package var linger = SettingOptions.standard("linger")

    @Option(help: "Ports a dial may get, as in 40000-41023 (IP_LOCAL_PORT_RANGE, Linux 6.3); none for all there are.")
    package var localPortRange = SettingOptions.standard("local-port-range")

    @Option(help: "Idle connections kept for each memcached server; the rest close on release.")
    package var maxIdle = SettingOptions.standard("max-idle")

    @Option(
        help: "Which end closes connections that are not kept, and has their TIME_WAIT: client, or server by 'quit'."
    )
    package var close = SettingOptions.standard("close")

    @Option(help: "Connections open or being dialled to each memcached server; lookups wait for one. none for any.")
    package var maxOpen = SettingOptions.standard("max-open")

    @Option(help: "Time a lookup waits for a connection under max-open before it fails.")
    package var openWait = SettingOptions.standard("open-wait")

    @Option(help: "Time from issuing a lookup to giving it up.")
    package var lookupTimeout = SettingOptions.standard("lookup-timeout")

    @Option(help: "Further attempts of a lookup whose dial or connection failed, 0 to 10.")
    package var retries = SettingOptions.standard("retries")

    @Option(help: "Look a URI up once that a batch has several times: true or false.")
    package var dedupe = SettingOptions.standard("dedupe")

    @Option(help: "What happens to error lines: off, blocking, async, sampled or metrics.")
    package var logMode = SettingOptions.standard("log-mode")

    @Option(help: "Where error lines go: stderr, file:PATH, or pipe:BYTES/s, a pipe read at that rate.")
    package var logSink = SettingOptions.standard("log-sink")

    @Option(help: "How long the stand-in database takes for a record that is not in memcached.")
    package var storeLatency = SettingOptions.standard("store-latency")

    @Option(help: "URIs of one batch; a larger one is refused with resource_exhausted. 0 for any.")
    package var maxBatch = SettingOptions.standard("max-batch")

    @Option(help: "URIs of one caller on their way at once; a batch beyond is refused. 0 for any.")
    package var maxPerCaller = SettingOptions.standard("max-per-caller")

    package init() {}

    /// The default of a setting, as text.
    private static func standard(_ name: String) -> String { Settings()[name]! }

    package mutating func validate() throws {
        _ = try parsed()
    }

    /// The settings as given on the command line.
    package func parsed() throws -> Settings {
        var settings = Settings()
        let texts = [
            "limit": limit, "fanout": fanout, "dialer": dialer, "late-bind": lateBind,
            "reuse-address": reuseAddress, "linger": linger, "local-port-range": localPortRange, "max-idle": maxIdle,
            "close": close, "max-open": maxOpen, "open-wait": openWait, "lookup-timeout": lookupTimeout,
            "retries": retries,
            "dedupe": dedupe, "log-mode": logMode, "log-sink": logSink,
            "store-latency": storeLatency, "max-batch": maxBatch, "max-per-caller": maxPerCaller,
        ]
        for name in Settings.names {
            do {
                try settings.set(name, to: texts[name]!)
            } catch {
                throw ValidationError("--\(error)")
            }
        }
        return settings
    }
}
