import ERIFormat

extension Compatibility {
  static let releases: [Release] = []
  static let parts: [Part] = []
}
