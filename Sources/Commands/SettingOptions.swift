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

    @Option(help: "Addresses dialled from and to: kernel, bind:IP, rotate or rotate-destination.")
    package var dialer = SettingOptions.standard("dialer")

    @Option(help: "Let connect() choose the port of a bound address (IP_BIND_ADDRESS_NO_PORT): true or false.")
    package var lateBind = SettingOptions.standard("late-bind")

    @Option(help: "Idle connections kept for each memcached server; the rest close on release.")
    package var maxIdle = SettingOptions.standard("max-idle")

    @Option(help: "Time from issuing a lookup to giving it up.")
    package var lookupTimeout = SettingOptions.standard("lookup-timeout")

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

    package func parsed() throws -> Settings {
        var settings = Settings()
        let texts = [
            "limit": limit, "fanout": fanout, "dialer": dialer, "late-bind": lateBind, "max-idle": maxIdle,
            "lookup-timeout": lookupTimeout, "log-mode": logMode, "log-sink": logSink,
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
