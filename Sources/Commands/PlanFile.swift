import CERISystem
package import ERIFormat
package import ERIRuntime

/// The file beside a model in which measured choices of its plan are remembered.
package enum PlanFile {
  /// What was found beside a model.
  package enum Content: Equatable, Sendable {
    case none
    case plans(TunedPlans)
    /// Why what is there is not used, a sentence.
    case ignored(String)
  }

  /// -ENOENT, the same on every Linux.
  private static let absent: Int32 = -2

  /// MODEL.plan.
  package static func path(of model: String) -> String { "\(model).plan" }

  /// Reads what is beside a model; nothing of it is trusted but numbers that were checked.
  package static func read(of model: Model, at modelPath: String) throws(CommandFailure) -> Content {
    let path = path(of: modelPath)
    let descriptor = eri_file_open_read(path)
    if descriptor == absent { return .none }
    eri_file_close(descriptor)
    do throws(FormatError) {
      let file = try FileHandle(path: path)
      guard file.byteCount <= UInt64(TunedPlans.largestFile) else {
        throw FormatError(
          .limitExceeded, at: "", "expected at most \(TunedPlans.largestFile) bytes, found \(file.byteCount)")
      }
      let plans = try TunedPlans(parsing: try file.bytes(Int(file.byteCount), at: 0))
      let digest = try model.digests().logical.text
      guard plans.model == digest else {
        throw FormatError(.invalid, at: "", "expected the plans of the model \(digest), found those of another")
      }
      return .plans(plans)
    } catch {
      return .ignored("\(error.inside(path)); it is not used, `eri bench --tune` makes it anew")
    }
  }

  /// The plans beside a model for a session; one that is ignored is said on standard error.
  package static func plans(of model: Model, at path: String) throws(CommandFailure) -> TunedPlans? {
    switch try read(of: model, at: path) {
    case .none: return nil
    case .plans(let plans): return plans
    case .ignored(let sentence):
      Console.note(sentence)
      return nil
    }
  }

  /// Writes plans beside a model.
  static func write(_ plans: TunedPlans, beside loaded: LoadedModel) throws(CommandFailure) {
    let path = path(of: loaded.path)
    do throws(FormatError) { try FileWriter.write(plans.text, to: path) } catch { throw CommandFailure(error) }
  }
}
