// swift-tools-version:5.9
import PackageDescription

// FermataCore is the C++ library, built by CMake for each Apple platform and packed as an xcframework beside this file
// (README.md says how, and what is missing for that today). The two other targets are built by the app.
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
