#if !hasFeature(Embedded)
  import CERISystem

  /// The entry of a build by the package manager.
  @main struct Entry {
    static func main() {
      let status = eriMain(CommandLine.argc, CommandLine.unsafeArgv)
      eri_exit(status)
    }
  }
#endif
