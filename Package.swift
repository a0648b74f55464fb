// swift-tools-version: 6.2
import Foundation
import PackageDescription

// CI asks for this: a warning is an error, in our own targets only.
let warnings: [SwiftSetting] =
    ProcessInfo.processInfo.environment["KEYROLL_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

// Every target of ours is held to the same rules.
let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + warnings

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// In the order of the layers: each imports only what stands above it in this list.
let package = Package(
    name: "keyroll",
    products: [
        .library(name: "Keyroll", targets: ["Keyroll"]),
        .executable(name: "keyroll", targets: ["KeyrollCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(
            name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSystem"),
        .target(name: "Files", swiftSettings: strict),
        .target(name: "Cryptography", dependencies: ["COpenSSL", "CSystem"], swiftSettings: strict),
        .target(name: "Databases", dependencies: ["Files", "CSQLite"], swiftSettings: strict),
        .target(name: "PostgreSQL", dependencies: ["CPostgreSQL"], swiftSettings: strict),
        .target(name: "Envelopes", dependencies: ["Cryptography"], swiftSettings: strict),
        .target(
            name: "SecretStores",
            dependencies: ["Cryptography", "Files", "Databases", "PostgreSQL", "CSystem"],
            swiftSettings: strict),
        .target(
            name: "KeyManagement",
            dependencies: ["Cryptography", "Envelopes", "Files", "Databases", "PostgreSQL"],
            swiftSettings: strict),
        .target(
            name: "Archives", dependencies: ["KeyManagement", "Envelopes", "Cryptography", "Files", "CArchive"],
            swiftSettings: strict),
        .target(
            name: "Protection", dependencies: ["Cryptography", "Envelopes", "SecretStores", "KeyManagement"],
            swiftSettings: strict),
        .target(name: "Access", dependencies: ["Cryptography", "Files"], swiftSettings: strict),
        .target(name: "Interchange", dependencies: ["Cryptography"], swiftSettings: strict),
        .target(
            name: "Rotation",
            dependencies: [
                "Protection", "Cryptography", "Envelopes", "SecretStores", "KeyManagement", "Interchange", "Files",
            ],
            swiftSettings: strict),
        .target(
            name: "Audit", dependencies: ["Interchange", "Cryptography", "Files", "CSystem"], swiftSettings: strict),
        .target(
            name: "Home",
            dependencies: [
                "Access", "Audit", "Archives", "Cryptography", "Files", "PostgreSQL", "SecretStores", "KeyManagement",
                "Protection", "CYAML",
            ],
            swiftSettings: strict),
        .target(name: "Evidence", dependencies: ["Cryptography", "Files"], swiftSettings: strict),
        .target(
            name: "Custody",
            dependencies: [
                "Evidence", "Access", "Audit", "Home", "Archives", "Protection", "SecretStores", "KeyManagement",
                "Databases",
                "PostgreSQL",
                "Cryptography", "Files",
            ],
            swiftSettings: strict),
        .target(
            name: "Jobs",
            dependencies: [
                "Custody", "Evidence", "Audit", "Archives", "Home", "Rotation", "Protection", "Envelopes",
                "KeyManagement", "SecretStores", "Interchange",
                "Cryptography", "Files", log,
            ],
            swiftSettings: strict),
        .target(
            name: "Reports",
            dependencies: [
                "Custody", "Evidence", "Jobs", "Home", "Rotation", "Protection", "KeyManagement", "SecretStores",
                "Cryptography", "Files",
            ],
            swiftSettings: strict),
        .target(
            name: "BrokerWire", dependencies: ["Cryptography", "Envelopes"], swiftSettings: strict),
        .target(
            name: "Keyroll",
            dependencies: [
                "BrokerWire", "Access", "Audit", "Home", "Rotation", "Protection", "KeyManagement", "SecretStores",
                "Envelopes",
                "Cryptography", "Files",
            ],
            swiftSettings: strict),
        .target(
            name: "Broker",
            dependencies: [
                "BrokerWire", "Keyroll", "Access", "Audit", "Home", "Protection", "KeyManagement", "SecretStores",
                "Envelopes", "Cryptography", "Files", "CSystem",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "KeyrollCommand",
            dependencies: [
                "Broker", "BrokerWire", "Access", "Keyroll", "Reports", "Jobs", "Custody", "Evidence", "Audit",
                "Archives", "Home", "Rotation", "Protection",
                "Interchange", "KeyManagement",
                "SecretStores",
                "Envelopes", "Cryptography", "Files", "Databases", "PostgreSQL", arguments, log,
            ], swiftSettings: strict, plugins: ["BuildCommit"]),
        // Which commit it is, for --version.
        .plugin(name: "BuildCommit", capability: .buildTool()),

        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: strict),
        .testTarget(
            name: "EnvelopesTests", dependencies: ["Envelopes", "Cryptography"], swiftSettings: strict),
        .testTarget(
            name: "KeyManagementTests",
            dependencies: ["KeyManagement", "PostgreSQL", "TestServers", "Cryptography", "Files"],
            swiftSettings: strict),
        // Real servers that end with the tests: PostgreSQL and what stands before it.
        .target(name: "TestServers", path: "Tests/TestServers", swiftSettings: strict),
        // Hostile archives, for the tests of the library and of the command.
        .target(
            name: "ForgedArchives", dependencies: ["Archives", "Cryptography", "CArchive"],
            path: "Tests/ForgedArchives",
            swiftSettings: strict),
        .testTarget(
            name: "ArchivesTests",
            dependencies: ["Archives", "ForgedArchives", "KeyManagement", "Envelopes", "Cryptography", "Files"],
            swiftSettings: strict),
        .testTarget(
            name: "SecretStoresTests",
            dependencies: [
                "SecretStores", "PostgreSQL", "TestServers", "Protection", "KeyManagement", "Envelopes", "Cryptography",
                "Files",
            ],
            swiftSettings: strict),
        .testTarget(name: "InterchangeTests", dependencies: ["Interchange"], swiftSettings: strict),
        .testTarget(
            name: "AuditTests", dependencies: ["Audit", "AuditBenchmark", "Cryptography", "Files"],
            swiftSettings: strict),
        .testTarget(
            name: "RotationTests",
            dependencies: [
                "Rotation", "Jobs", "Interchange", "Home", "Keyroll", "Protection", "SecretStores", "KeyManagement",
                "Envelopes",
                "Databases", "Cryptography", "Files", "TestServers",
            ], swiftSettings: strict),
        .testTarget(
            name: "CustodyTests", dependencies: ["Custody", "KeyManagement", "Cryptography", "Files"],
            swiftSettings: strict),
        // An application that the fault harness drives.
        .executableTarget(
            name: "FaultWriter", dependencies: ["Keyroll"], path: "Tests/FaultWriter", swiftSettings: strict),
        // Drives the real command; it is built because it is named here.
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "KeyrollCommand", "MailFetcher", "FaultWriter", "ForgedArchives", "TestServers", "Keyroll",
                "BrokerWire", "Access",
                "Protection",
                "SecretStores", "Envelopes", "Cryptography",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AccessTests", dependencies: ["Access", "Cryptography", "Files"], swiftSettings: strict),
        .testTarget(
            name: "BrokerTests", dependencies: ["Broker", "BrokerWire", "Access", "Envelopes"], swiftSettings: strict),

        // A package of its own; here as well, so that it is built with everything else.
        .executableTarget(
            name: "MailFetcher", dependencies: ["Keyroll"], path: "Examples/mail-fetcher/Sources/MailFetcher",
            swiftSettings: strict),
        .executableTarget(
            name: "RotationBenchmark",
            dependencies: [
                "Keyroll", "Rotation", "Home", "KeyManagement", "SecretStores", "PostgreSQL", "Cryptography",
                "Databases",
                "Files",
            ],
            path: "benchmarks/RotationBenchmark", swiftSettings: strict),
        .executableTarget(
            name: "StageBenchmark",
            dependencies: ["Home", "Protection", "KeyManagement", "SecretStores", "Envelopes", "Cryptography"],
            path: "benchmarks/StageBenchmark", exclude: ["allocations.c"], swiftSettings: strict),
        .executableTarget(
            name: "BrokerBenchmark", dependencies: ["BrokerWire", "Keyroll"], path: "benchmarks/BrokerBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "AuditBenchmark", dependencies: ["Audit", "Cryptography", "Files"],
            path: "benchmarks/AuditBenchmark", swiftSettings: strict),
    ]
)

// Only for make fuzz: its main function is libFuzzer's.
if ProcessInfo.processInfo.environment["KEYROLL_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "Archives", "Audit", "BrokerWire", "Cryptography", "Envelopes", "Evidence", "Home", "Interchange",
                "Jobs",
                "Rotation", "SecretStores", "Access",
            ],
            path: "Tests/fuzz", exclude: ["corpus.tar.zst", "seeds.py", "run.sh"], swiftSettings: strict))
}

// Only for make test-tsan: locks that the thread sanitizer sees.
if ProcessInfo.processInfo.environment["KEYROLL_TSAN"] != nil {
    for target in package.targets where [.regular, .executable, .test].contains(target.type) {
        target.dependencies.append("SeenSynchronization")
    }
    package.targets.append(
        .target(
            name: "SeenSynchronization", path: "Tests/SeenSynchronization", swiftSettings: [.swiftLanguageMode(.v5)]))
}
