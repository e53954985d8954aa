package import ERIFormat

/// What a user may say of how a checkpoint is fitted to a network.
package struct FittingOptions: Sendable {
  /// The map to read names by, and no other.
  package var map: NameMap?
  /// Where to write the map that would explain the names.
  package var proposalPath: String?
  /// Casts floating-point tensors to the network's type first.
  package var casts = false
  /// Whether finite values may become infinite by a cast.
  package var allowOverflow = false
  package var allowInert = false

  package init() {}
}

extension Conversion {
  /// Reads a checkpoint as the weights of a network or of a part of a model.
  /// - Throws: `FormatError` with the path as the outermost place, for names, shapes or types that do not fit.
  package init(
    reading path: String, fittedTo target: FittingTarget, options: FittingOptions = FittingOptions()
  ) throws(FormatError) {
    let checkpoint = try Checkpoint(reading: path, allowInert: options.allowInert)
    var notes = checkpoint.notes
    var sources = checkpoint.entries.map(\.tensor).filter { $0.role != .optimizerState }
    let states = checkpoint.entries.count - sources.count
    if states > 0 { notes.append("\(counted(states, "tensor")) of optimiser state left out") }
    let maps: [NameMap]
    if let map = options.map { maps = [map] } else { maps = try NameMap.builtIn() }
    let targets = target.targets
    guard let search = FittingSearch(sources, targets, maps: maps) else {
      throw FormatError(.invalid, at: path, "expected a map, found none")
    }
    let best = search.best
    if !search.isExplained || options.proposalPath != nil {
      let proposal = MapProposal(best, sources, targets)
      if let proposalPath = options.proposalPath { try FileWriter.write(proposal.text, to: proposalPath) }
      if !search.isExplained { throw search.failure(sources, target, targets, proposal: proposal).inside(path) }
    }
    var casts = CastLog()
    if options.casts {
      for given in best.given.values.sorted() {
        for index in best.mapping.assignments[given].sources {
          sources[index] = casts.cast(sources[index], to: .f32, allowOverflow: options.allowOverflow)
        }
      }
    }
    let place = best.place.isEmpty ? "" : " under \(best.place)"
    let replaced = best.given.count + best.filled.count
    let counts =
      "\(counted(replaced, "tensor")) replaced in \(target.name), \(target.base.tensors.count - replaced) kept"
    var first = LineageStep(
      action: "convert", detail: "\(checkpoint.container.rawValue) into \(target.name)\(place) by map \(best.map.name)",
      source: fileName(of: path), sourceSHA256: try Conversion.digest(ofFile: path).text)
    if target.isModel {
      first.action = "replace"
      first.detail = "\(checkpoint.container.rawValue)\(place) by map \(best.map.name): \(counts)"
    }
    let fitting: Fitting
    do throws(FormatError) {
      fitting = try Fitting(best, sources, to: target, first: first)
    } catch {
      throw error.place.hasPrefix(path) ? error : error.inside(path)
    }
    var model = fitting.model
    if var provenance = model.provenance {
      if case .model(let original) = checkpoint.details, !target.isModel, let known = original.provenance {
        (provenance.trained, provenance.training) = (known.trained, known.training)
        (provenance.seed, provenance.datasetSHA256) = (known.seed, known.datasetSHA256)
      } else if target.isWhole {
        // What someone keeps as a checkpoint has been trained, as far as anyone can tell.
        provenance.trained = true
      }
      model.provenance = provenance
    }
    if casts.count > 0 {
      model.lineage.append(LineageStep(action: "store", detail: "\(counted(casts.count, "tensor")) cast to float32"))
    }
    notes.append("named as map \(best.map.name) says\(place)")
    notes += best.map.notes
    var steps = fitting.steps
    if target.isModel { steps.append(Fitting.Step(action: "replace", summary: counts, items: [])) }
    self.init(model: model, notes: notes, steps: steps, casts: casts)
  }
}
