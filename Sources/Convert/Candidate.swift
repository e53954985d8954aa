import ERIFormat

/// One way to read a checkpoint's names: a map, where its names stand in the network, and which prefix was taken off before.
struct Candidate {
  let map: NameMap
  /// What stands before the names on the map's right.
  let place: String
  /// Known prefixes that were taken off.
  let prefixes: [String]
  /// A prefix that all names share and that is not known: a guess, never taken without being asked for.
  let guess: String?
  /// The source's names as the map sees them.
  let names: [[UInt8]]
  let mapping: NameMapping

  /// The network's tensors that nothing gives, by index.
  private(set) var missing: [Int] = []
  /// The source's tensors that no rule explains or whose target the network lacks.
  private(set) var unexpected: [Int] = []
  /// Assignments whose shape is not the network's, and the tensor they are for.
  private(set) var misfits: [(assignment: Int, target: Int)] = []
  /// Targets that are given twice.
  private(set) var doubled: [Int] = []
  /// Assignments that fit, by target.
  private(set) var given: [Int: Int] = [:]
  /// The fill of a target that nothing gives.
  private(set) var filled: [Int: Int] = [:]

  init(
    _ map: NameMap, place: String, names: [[UInt8]], prefixes: [String], guess: String? = nil, sources: [Tensor],
    targets: FittingTargets
  ) {
    self.map = map
    self.place = place
    self.names = names
    self.prefixes = prefixes
    self.guess = guess
    mapping = NameMapping(map, to: names, place: place)
    unexpected = mapping.unexplained
    var met: Set<Int> = []
    for (index, assignment) in mapping.assignments.enumerated() {
      guard let target = targets.indices[assignment.target] else {
        for source in assignment.sources where unexpected.last != source { unexpected.append(source) }
        continue
      }
      if !met.insert(target).inserted {
        doubled.append(target)
      } else if Candidate.shape(assignment, sources) != targets.tensors[target].shape {
        misfits.append((index, target))
      } else {
        given[target] = index
      }
    }
    for (index, tensor) in targets.tensors.enumerated() where !met.contains(index) && tensor.role == .weight {
      if let fill = fill(for: tensor.name) { filled[index] = fill } else { missing.append(index) }
    }
  }

  /// How many tensors are not explained.
  var faultCount: Int { missing.count + unexpected.count + misfits.count + doubled.count }

  private func fill(for name: String) -> Int? {
    guard name.utf8.starts(with: place.utf8) else { return nil }
    let name = Array(name.utf8.dropFirst(place.utf8.count))
    return map.fills.firstIndex { $0.pattern.match(name) != nil }
  }

  /// The shape of what an assignment gives; nil if its parts do not go together.
  private static func shape(_ assignment: NameMapping.Assignment, _ sources: [Tensor]) -> [Int]? {
    let shapes = assignment.sources.map { sources[$0].shape }
    guard var shape = shapes.first else { return nil }
    switch assignment.part {
    case .whole: return shape
    case .transposed(let axes):
      guard let axes else { return shape.reversed() }
      return axes.count == shape.count ? axes.map { shape[$0] } : nil
    case .part(_, let count):
      guard let extent = shape.first, extent % count == 0 else { return nil }
      shape[0] = extent / count
      return shape
    case .joined:
      var extent = 0
      for other in shapes {
        guard let first = other.first, other.dropFirst() == shape.dropFirst() else { return nil }
        let (sum, overflow) = extent.addingReportingOverflow(first)
        guard !overflow else { return nil }
        extent = sum
      }
      shape[0] = extent
      return shape
    }
  }
}

/// The network's tensors that a checkpoint has to give.
struct FittingTargets {
  /// Weights, which must be given, and constants, which may be if they are equal.
  let tensors: [Tensor]
  let indices: [[UInt8]: Int]

  init(_ tensors: [Tensor]) {
    self.tensors = tensors
    var indices: [[UInt8]: Int] = [:]
    for (index, tensor) in tensors.enumerated() { indices[Array(tensor.name.utf8)] = index }
    self.indices = indices
  }
}
