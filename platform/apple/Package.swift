// swift-tools-version:5.9
import PackageDescription

// This does not resolve yet. FermataCore is to be the C++ library, packed as an xcframework beside this file, but the
// library does not build for Darwin (README.md says what is missing). The two other targets are built by the app.
let package = Package(
    name: "Fermata",
    platforms: [.iOS(.v14)],
    products: [
        .library(name: "Fermata", targets: ["Fermata"])
    ],
    targets: [
        .binaryTarget(name: "FermataCore", path: "FermataCore.xcframework"),
        .target(
            name: "FermataApple",
            dependencies: ["FermataCore"],
            linkerSettings: [
                .linkedFramework("AVFoundation"),
                .linkedFramework("BackgroundTasks"),
                .linkedFramework("Network"),
                .linkedFramework("UIKit"),
                .linkedLibrary("sqlite3"),
            ]
        ),
        .target(name: "Fermata", dependencies: ["FermataApple"]),
    ],
    cxxLanguageStandard: .cxx20
)
