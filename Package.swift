// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "spiral",
    products: [
        .executable(name: "spiral", targets: ["spiral"]),
        .executable(name: "spiral-server", targets: ["spiral-server"]),
        .executable(name: "spiral-load", targets: ["spiral-load"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The C below everything: what Swift cannot say.
        .systemLibrary(
            name: "CMemcached",
            pkgConfig: "libmemcached",
            providers: [.apt(["libmemcached-dev"])]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CConnectHook"),
        .target(name: "CLinux"),
        .target(
            name: "CBuildFacts",
            cSettings: ["SPIRAL_COMMIT", "SPIRAL_LOCALE_DATA"].compactMap { name in
                // Only scripts say them; a build by hand knows no commit and is not made again for each.
                Context.environment[name].map { value in
                    .define(name, to: name == "SPIRAL_COMMIT" ? "\"\(value)\"" : value)
                }
            }
        ),

        // Rooms, bottom first. A room imports only what stands above it here.
        .target(name: "Units"),
        .target(name: "Text"),
        .target(name: "POSIX", dependencies: ["CLinux", "Units"]),
        .target(name: "KernelProbe", dependencies: ["CLinux", "POSIX", "Text", "Units"]),
        .target(
            name: "Telemetry",
            dependencies: [
                "POSIX", "Text", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]
        ),
        .target(name: "Limits", dependencies: ["Units"]),
        .target(
            name: "Memcached",
            dependencies: [
                "CMemcached", "CConnectHook", "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(
            name: "FanOut",
            dependencies: [
                "Memcached", "Limits", "Telemetry", "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),

            ]
        ),
        .target(
            name: "HTTP",
            dependencies: [
                "CZlib", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .target(
            name: "PostRecords",
            dependencies: [
                "Text",
                "HTTP", "FanOut", "Memcached", "Limits", "Telemetry", "KernelProbe", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Codecs/post_records.proto"]
        ),
        .target(
            name: "LoadGenerator",
            dependencies: [
                "Text",
                "PostRecords", "HTTP", "Memcached", "Telemetry", "KernelProbe", "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .target(
            name: "Results",
            dependencies: ["LoadGenerator", "PostRecords", "Text", "Units"],
            // For people and packages; scripts/check-docker and CI hold results against them.
            exclude: ["Schemas"]
        ),
        .target(
            name: "Forecast",
            dependencies: [
                "Results", "LoadGenerator", "PostRecords", "FanOut", "Memcached", "Limits", "KernelProbe", "Text",
                "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(
            name: "Testbed",
            dependencies: [
                "Results", "LoadGenerator", "PostRecords", "HTTP", "Memcached", "KernelProbe", "Text", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .target(
            name: "Exec",
            dependencies: ["Testbed", "Memcached", "KernelProbe", "Text", "POSIX", "Units", "CLinux"]
        ),
        .target(
            name: "Scenarios",
            dependencies: [
                "Testbed", "Forecast", "Results", "LoadGenerator", "PostRecords", "HTTP", "FanOut", "Memcached",
                "Limits",
                "Telemetry", "KernelProbe", "Text", "POSIX", "Units",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [
                .embedInCode("Library/bluesky-april-2026.yaml"),
                .embedInCode("Library/by-hand.yaml"),
                .embedInCode("Library/crash-loop.yaml"),
                .embedInCode("Library/demo-full-range.yaml"),
                .embedInCode("Library/demo.yaml"),
                .embedInCode("Library/kernel-defaults.yaml"),
                .embedInCode("Library/limiter-cliff.yaml"),
                .embedInCode("Library/log-storm.yaml"),
                .embedInCode("Library/memcached-slow.yaml"),
                .embedInCode("Library/noisy-neighbour.yaml"),
            ]
        ),
        .target(
            name: "Sweeps",
            dependencies: [
                "Scenarios", "Exec", "Testbed", "Results", "LoadGenerator", "PostRecords", "FanOut", "Memcached",
                "KernelProbe",
                "Text", "POSIX", "Units",
            ]
        ),
        .target(
            name: "Cures",
            dependencies: [
                "Testbed", "Results", "LoadGenerator", "PostRecords", "HTTP", "FanOut", "Memcached", "Limits",
                "Telemetry", "KernelProbe", "Text", "POSIX", "Units",
            ]
        ),
        .target(
            name: "Reports",
            dependencies: [
                "Exec",
                "Cures", "Sweeps", "Scenarios", "Testbed", "Results", "LoadGenerator", "PostRecords", "HTTP",
                "Telemetry", "KernelProbe",
                "Text",
                "POSIX", "Units", "CLinux",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            resources: [
                .embedInCode("Page/charts.js"),
                .embedInCode("Page/live.js"),
                .embedInCode("Page/page.css"),
                .embedInCode("Page/page.html"),
                .embedInCode("Page/live.html"),
            ]
        ),

        .target(
            name: "Commands",
            dependencies: [
                "CBuildFacts", "Text",
                "PostRecords", "POSIX", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // Thin executables: options in, exit status out.
        .executableTarget(
            name: "spiral-server",
            dependencies: [
                "Commands", "PostRecords", "HTTP", "FanOut", "Memcached", "Telemetry", "KernelProbe", "POSIX",
                "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "spiral-load",
            dependencies: [
                "Text",
                "Commands", "Results", "LoadGenerator", "PostRecords", "HTTP", "Memcached", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "spiral",
            dependencies: [
                "Commands", "HTTP", "Reports", "Cures", "Sweeps", "Scenarios", "Exec", "Testbed", "Forecast", "Results",
                "LoadGenerator", "PostRecords", "Memcached", "KernelProbe", "Text", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // For scripts/benchmark alone.
        .executableTarget(
            name: "spiral-benchmark",
            dependencies: [
                "LoadGenerator", "PostRecords", "HTTP", "FanOut", "Memcached", "Limits", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // Tests: real memcached, real kernel.
        .target(
            name: "TestSupport",
            dependencies: [
                "Results", "LoadGenerator", "Testbed", "PostRecords", "FanOut", "Memcached", "Telemetry", "KernelProbe",
                "POSIX", "Units",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/TestSupport"
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Reports", "Cures", "Sweeps", "Scenarios", "Results", "LoadGenerator", "PostRecords", "HTTP", "FanOut",
                "Memcached",
                "Text", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/FuzzTargets",
            exclude: ["Corpus"]
        ),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
        .testTarget(name: "UnitsTests", dependencies: ["Units"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(name: "POSIXTests", dependencies: ["TestSupport", "POSIX", "Units"]),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["TestSupport", "Telemetry", "KernelProbe", "POSIX", "Units"]
        ),
        .testTarget(name: "LimitsTests", dependencies: ["Limits", "Units"]),
        .testTarget(
            name: "HTTPTests",
            dependencies: [
                "TestSupport", "Units", "HTTP", "POSIX", .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .testTarget(
            name: "MemcachedTests",
            dependencies: ["TestSupport", "FuzzTargets", "Memcached", "KernelProbe", "POSIX", "Units"]
        ),
        .testTarget(name: "KernelProbeTests", dependencies: ["TestSupport", "KernelProbe", "POSIX", "Units"]),
        .testTarget(
            name: "PostRecordsTests",
            dependencies: [
                "TestSupport", "Units", "Text",
                "PostRecords", "HTTP", "FanOut", "Memcached", "Telemetry", "POSIX",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "LoadGeneratorTests",
            dependencies: [
                "TestSupport", "LoadGenerator", "PostRecords", "HTTP", "Telemetry", "KernelProbe", "Text", "POSIX",
                "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "TestSupport", "Testbed", "Reports", "Results", "LoadGenerator", "PostRecords", "HTTP", "FanOut",
                "Memcached", "Telemetry", "KernelProbe", "Text", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            resources: [
                .embedInCode("Clients/connect_client.py"),
                .embedInCode("Clients/http_clients.py"),
                .embedInCode("Clients/post.lua"),
            ]
        ),
        .testTarget(
            name: "ForecastTests",
            dependencies: [
                "TestSupport", "Results", "Limits", "Forecast", "LoadGenerator", "PostRecords", "FanOut", "Memcached",
                "Telemetry", "KernelProbe", "POSIX", "Units",
            ]
        ),
        .testTarget(
            name: "ScenariosTests",
            dependencies: [
                "Reports",
                "TestSupport", "Scenarios", "Testbed", "Forecast", "Results", "LoadGenerator", "PostRecords",
                "KernelProbe", "Text", "POSIX", "Units",
            ]
        ),
        .testTarget(
            name: "SweepsTests",
            dependencies: [
                "TestSupport", "Reports", "Sweeps", "Testbed", "Results", "LoadGenerator", "PostRecords",
                "KernelProbe", "Text", "POSIX", "Units",
            ],
            exclude: ["Programs"]
        ),
        .testTarget(
            name: "CuresTests",
            dependencies: [
                "TestSupport", "Cures", "Results", "LoadGenerator", "PostRecords", "KernelProbe", "Text", "POSIX",
            ]
        ),
        .testTarget(
            name: "ReportsTests",
            dependencies: [
                "TestSupport", "Reports", "Cures", "Sweeps", "Scenarios", "Testbed", "Results", "LoadGenerator",
                "PostRecords", "HTTP", "KernelProbe", "Text", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            exclude: ["Fixtures"]
        ),
        .testTarget(
            name: "ExecTests",
            dependencies: ["TestSupport", "Exec", "POSIX", "Units"],
            exclude: ["Programs"]
        ),
        .testTarget(
            name: "FanOutTests",
            dependencies: [
                "TestSupport", "Testbed", "LoadGenerator", "PostRecords", "FanOut", "Memcached", "Limits", "Telemetry",
                "KernelProbe", "POSIX", "Units",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Only scripts/fuzz builds the fuzzer.
if Context.environment["SPIRAL_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(name: "spiral-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer")
    )
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
