package import ERIFormat

/// Lists parameters in a stable order, or sets them from such a list: one description serves both directions.
///
/// A parameter that a list leaves out keeps its default, so that a parameter added later must default to what was done
/// before it.
package struct ParameterRecord {
  private enum Direction {
    case listing
    case setting
  }

  private let direction: Direction
  package private(set) var parameters: [Parameter]
  private var known: Set<String> = []

  /// A record that lists.
  package init() {
    direction = .listing
    parameters = []
  }

  /// A record that sets from a list.
  package init(setting parameters: [Parameter]) {
    direction = .setting
    self.parameters = parameters
  }

  package mutating func integer(_ name: String, _ value: inout Int, in range: ClosedRange<Int>) throws(FormatError) {
    if let recorded = try content(name, listedAs: .integer(Int64(value))) {
      guard case .integer(let number) = recorded, let number = Int(exactly: number) else {
        throw parameterError(name, "expected an integer, found \(text(recorded))")
      }
      value = number
    }
    guard range.contains(value) else {
      throw parameterError(name, "expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
  }

  package mutating func number(_ name: String, _ value: inout Double, in range: ClosedRange<Double>) throws(FormatError)
  {
    if let recorded = try content(name, listedAs: .number(value)) {
      guard case .number(let number) = recorded else {
        throw parameterError(name, "expected a number, found \(text(recorded))")
      }
      value = number
    }
    guard range.contains(value) else {
      throw parameterError(name, "expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
  }

  package mutating func flag(_ name: String, _ value: inout Bool) throws(FormatError) {
    guard let recorded = try content(name, listedAs: .flag(value)) else { return }
    guard case .flag(let flag) = recorded else {
      throw parameterError(name, "expected true or false, found \(text(recorded))")
    }
    value = flag
  }

  package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ value: inout Choice
  ) throws(FormatError) {
    guard let recorded = try content(name, listedAs: .text(value.rawValue)) else { return }
    guard case .text(let chosen) = recorded, let choice = Choice(rawValue: chosen) else {
      let choices = joined(Choice.allCases.map(\.rawValue), separator: " or ")
      throw parameterError(name, "expected \(choices), found \(text(recorded))")
    }
    value = choice
  }

  package mutating func text(_ name: String, _ value: inout String) throws(FormatError) {
    guard let recorded = try content(name, listedAs: .text(value)) else { return }
    guard case .text(let found) = recorded else {
      throw parameterError(name, "expected a text, found \(text(recorded))")
    }
    value = found
  }

  /// Refuses a list that names a parameter that nothing asked for.
  package func finish(network: String) throws(FormatError) {
    for parameter in parameters where !known.contains(parameter.name) {
      throw FormatError(
        .unsupported, at: "parameter \(parameter.name)",
        "expected a parameter of \(network), found one it does not have")
    }
  }

  /// What the list holds for a name when setting; when listing, appends the value and gives nil.
  private mutating func content(
    _ name: String, listedAs content: Parameter.Content
  ) throws(FormatError) -> Parameter.Content? {
    known.insert(name)
    switch direction {
    case .listing:
      parameters.append(Parameter(name, content))
      return nil
    case .setting:
      let found = parameters.filter { $0.name == name }
      guard found.count < 2 else { throw parameterError(name, "expected one value, found \(found.count)") }
      return found.first?.value
    }
  }

  private func text(_ content: Parameter.Content) -> String {
    switch content {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "\"\(value)\""
    case .flag(let value): "\(value)"
    }
  }
}

/// An error about one parameter.
func parameterError(_ name: String, _ message: String) -> FormatError {
  FormatError(.invalid, at: "parameter \(name)", message)
}
