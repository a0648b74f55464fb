// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "mail-fetcher",
    dependencies: [
        // Yours: .package(url: "https://github.com/keyroll/keyroll", from: "0.2.0")
        .package(name: "keyroll", path: "../..")
    ],
    targets: [
        .executableTarget(name: "MailFetcher", dependencies: [.product(name: "Keyroll", package: "keyroll")])
    ]
)
