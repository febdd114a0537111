// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Storage is the only target that calls C, so there every such call is spelled `unsafe`.
let storageSettings = settings + [.strictMemorySafety()]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// What each service stands on; none stands on another.
let service: [Target.Dependency] = [
    "Core", "Storage", "Platform", nio, nioHTTP1, logging, crypto, hummingbird,
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "AsyncHTTPClient", package: "async-http-client"),
]
let serviceTests =
    service + [
        "TestSupport", .product(name: "HummingbirdTesting", package: "hummingbird"),
    ]

let package = Package(
    name: "tiketi",
    products: [.executable(name: "tiketi", targets: ["tiketi"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CPostgres", path: "Sources/C/CPostgres", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev", "libssl-dev"])]),
        .systemLibrary(name: "CHiredis", path: "Sources/C/CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLZ4", path: "Sources/C/CLZ4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/C/CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCRC32C", path: "Sources/C/CCRC32C"),
        .systemLibrary(name: "CQrencode", path: "Sources/C/CQrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CArgon2", path: "Sources/C/CArgon2", providers: [.apt(["libargon2-dev"])]),

        .target(name: "Core", swiftSettings: settings),
        .target(
            name: "Storage",
            dependencies: [
                "Core", "CPostgres", "CHiredis", "CLZ4", "CZlib", "CCRC32C", "CQrencode", "CArgon2", nio, nioPosix,
                logging,
            ],
            resources: [.copy("Migrations")],
            swiftSettings: storageSettings
        ),
        .target(
            name: "Platform",
            dependencies: [
                "Core", "Storage", nio, nioPosix, nioHTTP1, logging, crypto, hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Ingest",
            dependencies: [
                "Core", "Storage", "Platform", nio, nioPosix, nioHTTP1, logging, crypto, lifecycle,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Rollup",
            dependencies: ["Core", "Storage", "Platform", logging, crypto, lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "Query",
            dependencies: [
                "Core", "Storage", "Platform", nio, logging, hummingbird,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "UserService",
            dependencies: service + [nioPosix, .product(name: "NIOSSL", package: "swift-nio-ssl")],
            path: "Sources/Services/Users", swiftSettings: settings),
        .target(
            name: "EventService", dependencies: service, path: "Sources/Services/Events", swiftSettings: settings),
        .target(
            name: "ReservationService", dependencies: service, path: "Sources/Services/Reservations",
            swiftSettings: settings),
        .target(
            name: "PaymentService", dependencies: service + [nioHTTP1], path: "Sources/Services/Payments",
            swiftSettings: settings),
        .target(
            name: "TossSandbox", dependencies: service + [nioPosix, nioHTTP1], path: "Sources/Services/TossSandbox",
            swiftSettings: settings),
        .executableTarget(
            name: "tiketi",
            dependencies: [
                "Core", "Storage", "Platform", "Ingest", "Rollup", "Query",
                "UserService", "EventService", "ReservationService", "PaymentService", "TossSandbox",
                nio, nioPosix, nioHTTP1, logging, crypto, hummingbird, lifecycle,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            resources: [.copy("Dev/Shop")],
            swiftSettings: settings
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Core", "Storage", "Platform", nio, nioPosix, logging],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Core", "Storage", "Platform", "Ingest", nio, nioPosix, nioHTTP1,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            path: "Fuzz/Targets",
            swiftSettings: settings
        ),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "CoreTests", dependencies: ["Core", "Storage", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "StorageTests",
            dependencies: ["Core", "Storage", "Platform", "TestSupport", nio, nioPosix, logging],
            swiftSettings: settings),
        .testTarget(
            name: "PlatformTests",
            dependencies: [
                "Core", "Storage", "Platform", "TestSupport", nio, logging, crypto, hummingbird,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: settings),
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .executableTarget(
            name: "allocations",
            dependencies: ["CAllocations", "Core", "Storage", "Platform", "Ingest", nio, nioPosix, logging],
            path: "Tests/Allocations",
            swiftSettings: settings
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "Core", "Storage", "Platform", "Ingest", "TestSupport", nio, nioPosix, nioHTTP1, logging, hummingbird,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RollupTests",
            dependencies: ["Core", "Storage", "Platform", "Ingest", "Rollup", "TestSupport", logging],
            swiftSettings: settings),
        .testTarget(
            name: "QueryTests",
            dependencies: [
                "Core", "Storage", "Platform", "Ingest", "Rollup", "Query", "TestSupport", nio, logging, hummingbird,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "UserServiceTests",
            dependencies: serviceTests + [
                "UserService", nioPosix,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "EventServiceTests", dependencies: serviceTests + ["EventService"], swiftSettings: settings),
        .testTarget(
            name: "ReservationServiceTests", dependencies: serviceTests + ["ReservationService", nioPosix],
            swiftSettings: settings),
        .testTarget(
            name: "PaymentServiceTests", dependencies: serviceTests + ["PaymentService", "TossSandbox", nioHTTP1],
            swiftSettings: settings),
        .testTarget(
            name: "ProcessTests",
            dependencies: [
                "Core", "Storage", "Platform", "Ingest", "Query", "UserService", "EventService", "ReservationService",
                "PaymentService", "TestSupport", "tiketi", nio, nioPosix, nioHTTP1, logging, hummingbird,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: settings),
    ]
)

// The fuzzer brings its own `main` and is no part of any other build: `make fuzz` asks for it.
if Context.environment["TIKETI_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Main",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
