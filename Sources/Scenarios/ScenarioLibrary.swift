internal import Text

/// The scenarios that come with Spiral, by name.
package enum ScenarioLibrary {
    private static let files: [(name: String, yaml: [UInt8])] = [
        ("demo", PackageResources.demo_yaml),
        ("demo-full-range", PackageResources.demo_full_range_yaml),
        ("bluesky-april-2026", PackageResources.bluesky_april_2026_yaml),
        ("crash-loop", PackageResources.crash_loop_yaml),
        ("log-storm", PackageResources.log_storm_yaml),
        ("limiter-cliff", PackageResources.limiter_cliff_yaml),
        ("noisy-neighbour", PackageResources.noisy_neighbour_yaml),
        ("by-hand", PackageResources.by_hand_yaml),
        ("kernel-defaults", PackageResources.kernel_defaults_yaml),
        ("memcached-slow", PackageResources.memcached_slow_yaml),
    ]

    package static let names = files.map(\.name)

    /// The text of one, or nil when there is none of that name.
    package static func yaml(_ name: String) -> String? {
        files.first { $0.name == name }.map { String(decoding: $0.yaml, as: UTF8.self) }
    }

    /// The closest name to one that is none.
    package static func suggestion(for name: String) -> String? { nearest(name, of: names) }
}
