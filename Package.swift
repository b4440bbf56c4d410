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
        .target(name: "CConnectHook"),
        .target(name: "CLinux"),

        // Rooms, bottom first. A room imports only what stands above it here.
        .target(name: "Units"),
        .target(name: "POSIX", dependencies: ["CLinux", "Units"]),
        .target(name: "KernelProbe", dependencies: ["CLinux", "POSIX", "Units"]),
        .target(
            name: "Telemetry",
            dependencies: [
                "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]
        ),
        .target(name: "Limits", dependencies: ["Units"]),
        .target(
            name: "Memcached",
            dependencies: ["CMemcached", "CConnectHook", "POSIX", "Units"]
        ),
        .target(
            name: "FanOut",
            dependencies: [
                "Memcached", "Limits", "Telemetry", "POSIX", "Units",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]
        ),
        .target(
            name: "HTTP",
            dependencies: [
                "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .target(
            name: "PostRecords",
            dependencies: [
                "HTTP", "FanOut", "Memcached", "Limits", "Telemetry", "KernelProbe", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Codecs/post_records.proto"]
        ),
        .target(
            name: "LoadGenerator",
            dependencies: [
                "PostRecords", "HTTP", "Memcached", "Telemetry", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .target(
            name: "Incident",
            dependencies: [
                "LoadGenerator", "PostRecords", "HTTP", "FanOut", "Memcached", "Limits", "Telemetry",
                "KernelProbe", "POSIX", "Units", "CLinux",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "DequeModule", package: "swift-collections"),
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
                .embedInCode("Report/Page/charts.js"),
                .embedInCode("Report/Page/live.js"),
                .embedInCode("Report/Page/page.css"),
                .embedInCode("Report/Page/page.html"),
                .embedInCode("Report/Page/report.js"),
                .embedInCode("Report/Page/sweep.js"),
            ]
        ),

        .target(
            name: "Commands",
            dependencies: [
                "PostRecords", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
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
                "Commands", "LoadGenerator", "PostRecords", "HTTP", "Memcached", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "spiral",
            dependencies: [
                "Commands", "Incident", "PostRecords", "HTTP", "KernelProbe", "POSIX", "Units",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // For scripts/benchmark alone.
        .executableTarget(
            name: "spiral-benchmark",
            dependencies: [
                "LoadGenerator", "FanOut", "Memcached", "Limits", "POSIX",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // Tests: real memcached, real kernel.
        .target(
            name: "TestSupport",
            dependencies: [
                "Incident", "PostRecords", "FanOut", "Memcached", "Telemetry", "KernelProbe", "POSIX", "Units",
            ],
            path: "Tests/TestSupport"
        ),
        .target(
            name: "FuzzTargets",
            dependencies: ["Memcached", "Units"],
            path: "Tests/FuzzTargets",
            exclude: ["Corpus"]
        ),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
        .testTarget(name: "UnitsTests", dependencies: ["Units"]),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["TestSupport", "Telemetry", "KernelProbe", "POSIX", "Units"]
        ),
        .testTarget(name: "LimitsTests", dependencies: ["Limits", "Units"]),
        .testTarget(
            name: "HTTPTests",
            dependencies: [
                "TestSupport", "HTTP", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .testTarget(
            name: "MemcachedTests",
            dependencies: ["TestSupport", "FuzzTargets", "Memcached", "KernelProbe", "POSIX", "Units"]
        ),
        .testTarget(name: "KernelProbeTests", dependencies: ["TestSupport", "KernelProbe", "POSIX"]),
        .testTarget(
            name: "PostRecordsTests",
            dependencies: [
                "PostRecords", "HTTP", "FanOut", "Memcached", "POSIX",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "LoadGeneratorTests",
            dependencies: [
                "LoadGenerator", "PostRecords", "Units",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "TestSupport", "Incident", "LoadGenerator", "PostRecords", "HTTP", "Memcached", "Telemetry",
                "KernelProbe", "POSIX", "Units",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "IncidentTests",
            dependencies: [
                "TestSupport", "Incident", "LoadGenerator", "PostRecords", "KernelProbe", "POSIX", "Units",
            ]
        ),
        .testTarget(
            name: "FanOutTests",
            dependencies: [
                "TestSupport", "LoadGenerator", "PostRecords", "FanOut", "Memcached", "Limits", "Telemetry",
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
    ]
}
