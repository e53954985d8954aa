// swift-tools-version: 6.2
// The manifest is the architecture: an arrow between targets exists only if it stands here.
import PackageDescription

/// Settings of every Swift target.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

/// Settings of every C target: kernels run at full speed in debug builds too.
let optimised: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]

let package = Package(
  name: "eri",
  products: [
    .library(name: "ERIFormat", targets: ["ERIFormat"]),
    .library(name: "ERIRuntime", targets: ["ERIRuntime"]),
    .library(name: "ERIStream", targets: ["ERIStream"]),
    .executable(name: "eri", targets: ["eri"]),
    .executable(name: "eri-run", targets: ["eri-run"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // System libraries.
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(
      name: "CAVFormat", pkgConfig: "libavformat",
      providers: [
        .apt([
          "libavformat-dev", "libavcodec-dev", "libavdevice-dev", "libavutil-dev", "libswscale-dev",
          "libswresample-dev",
        ])
      ]),

    // C and C++ of our own.
    .target(
      name: "CERISystem", exclude: ["device"], cSettings: optimised, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CERIKernels", cSettings: optimised, linkerSettings: [.linkedLibrary("m")]),
    // What training needs beside the runtime's kernels; shares their vector headers.
    .target(
      name: "CERITraining", dependencies: ["CERIKernels"],
      cSettings: optimised + [.headerSearchPath("../CERIKernels")], linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CERISchema", dependencies: ["CProtobufC"], cSettings: [.unsafeFlags(["-O2"])]),
    .target(
      name: "CDlib",
      cxxSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra"])],
      linkerSettings: [.linkedLibrary("dlib"), .linkedLibrary("openblas"), .linkedLibrary("stdc++")]),

    // The core: Embedded-clean (no Foundation, Glibc, Dispatch; typed throws).
    .target(
      name: "ERIFormat", dependencies: ["CERISchema", "CProtobufC", "CZstd", "CERISystem"],
      swiftSettings: strict),
    // Operators that only foreign graphs need, for any type: the runtime runs them as they are, the reference in Double. A device
    // build leaves them out.
    .target(
      name: "ERIONNX", dependencies: ["ERIFormat", "CERIKernels", "CERISystem"], path: "Sources/ONNX",
      swiftSettings: strict),
    .target(
      name: "ERIRuntime", dependencies: ["ERIFormat", "ERIONNX", "CERIKernels", "CERISystem"],
      path: "Sources/Runtime", swiftSettings: strict),
    .target(
      name: "ERISignal", dependencies: ["ERIFormat", "CERISystem"], path: "Sources/Signal",
      swiftSettings: strict),

    // Estimates while a clip is still coming: Embedded-clean too.
    .target(
      name: "ERIStream", dependencies: ["ERIFormat", "ERIRuntime", "ERISignal"], path: "Sources/Stream",
      swiftSettings: strict),

    // exec, inspect and check as both tools run them: Embedded-clean too.
    .target(
      name: "ERICommands", dependencies: ["ERIFormat", "ERIRuntime", "CERISystem"], path: "Sources/Commands",
      swiftSettings: strict),

    // The workstation's part.
    .target(
      name: "ERIReference", dependencies: ["ERIFormat", "ERIONNX", "CERISystem"], path: "Sources/Reference",
      swiftSettings: strict),
    .target(
      name: "ERINetworks", dependencies: ["ERIFormat"], path: "Sources/Networks", swiftSettings: strict),
    .target(
      name: "ERIMedia", dependencies: ["ERISignal", "CSndFile", "CAVFormat", "CDlib"],
      path: "Sources/Media", swiftSettings: strict),
    .target(
      name: "ERIDataset", dependencies: ["ERIFormat", "ERISignal", "ERIMedia", "CAVFormat", "CERISystem"],
      path: "Sources/Dataset", swiftSettings: strict),

    // Other frameworks' containers are zip archives as often as not: zlib inflates and checks them.
    .target(
      name: "ERIConvert",
      dependencies: ["ERIFormat", "ERINetworks", "ERIONNX", "ERIRuntime", "ERIReference", "CERISystem", "CZlib"],
      path: "Sources/Convert", resources: [.embedInCode("Maps")], swiftSettings: strict),

    // Training: forward on the runtime's kernels, so that what was trained is what ships; nothing of it is in the runtime.
    .target(
      name: "ERITrain",
      dependencies: ["ERIFormat", "ERINetworks", "ERIRuntime", "CERIKernels", "CERITraining", "CERISystem"],
      path: "Sources/Train", swiftSettings: strict),

    // The tools.
    .executableTarget(
      name: "eri",
      dependencies: [
        "ERICommands", "ERIConvert", "ERIFormat", "ERIRuntime", "ERISignal", "ERINetworks", "ERIMedia", "ERIDataset",
        "ERIStream", "ERITrain", "CERISystem",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "eri-run", dependencies: ["ERICommands", "ERIFormat", "CERISystem"], swiftSettings: strict),

    // Tests.
    .target(
      name: "ERITestSupport", dependencies: ["ERIFormat", "ERINetworks", "CERIKernels"], path: "Tests/ERITestSupport"),
    .testTarget(name: "ERISystemTests", dependencies: ["CERISystem", "ERITestSupport"]),
    .testTarget(name: "ERIKernelTests", dependencies: ["CERIKernels", "ERITestSupport"]),
    // The 256-bit VNNI kernels in an encoding that more processors have.
    .target(
      name: "CInt8Narrow", dependencies: ["CERIKernels"], path: "Tests/CInt8Narrow",
      cSettings: optimised + [.headerSearchPath("../../Sources/CERIKernels")]),
    .testTarget(name: "ERIInt8KernelTests", dependencies: ["CERIKernels", "CInt8Narrow", "ERITestSupport"]),
    .testTarget(
      name: "ERITrainingKernelTests", dependencies: ["CERITraining", "CERIKernels", "ERIFormat", "ERITestSupport"]),
    .testTarget(
      name: "ERIFormatTests",
      dependencies: ["ERIFormat", "CERISchema", "CERISystem", "CProtobufC", "CZstd", "ERITestSupport"]),
    // Stands in for malloc, so that tests can see that a run allocates nothing.
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .testTarget(
      name: "ERIRuntimeTests",
      dependencies: [
        "ERIFormat", "ERIRuntime", "ERIReference", "ERINetworks", "CERIKernels", "CAllocationCounter", "ERITestSupport",
      ]),
    .testTarget(
      name: "ERIStreamTests",
      dependencies: ["ERIStream", "ERIFormat", "ERIRuntime", "ERISignal", "ERINetworks", "ERITestSupport"]),
    .testTarget(
      name: "ERIONNXTests", dependencies: ["ERIFormat", "ERIONNX", "CAllocationCounter", "ERITestSupport"]),
    .testTarget(name: "ERIReferenceTests", dependencies: ["ERIFormat", "ERIReference"]),
    .testTarget(
      name: "ERINetworksTests", dependencies: ["ERIFormat", "ERINetworks", "ERIReference", "ERITestSupport"]),
    .testTarget(name: "ERISignalTests", dependencies: ["ERISignal", "ERITestSupport"]),
    .testTarget(
      name: "ERIMediaTests", dependencies: ["ERIMedia", "ERISignal", "ERIDataset", "ERITestSupport"]),
    .testTarget(
      name: "ERIDatasetTests",
      dependencies: ["ERIDataset", "ERIFormat", "ERIMedia", "ERISignal", "CAVFormat", "ERITestSupport"]),
    .testTarget(
      name: "ERIConvertTests",
      dependencies: [
        "ERIConvert", "ERIFormat", "ERINetworks", "ERIReference", "ERIRuntime", "CZlib", "ERITestSupport",
      ]),
    .testTarget(
      name: "ERITrainTests",
      dependencies: [
        "ERITrain", "ERIFormat", "ERINetworks", "ERIReference", "ERIRuntime", "CERIKernels", "CERITraining",
        "ERITestSupport",
      ]),
    .testTarget(name: "CommandTests", dependencies: ["ERIConvert", "ERIFormat", "ERITestSupport", "eri", "eri-run"]),
  ],
  cxxLanguageStandard: .cxx17
)
