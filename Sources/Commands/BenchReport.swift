import CERISystem
import ERIFormat
import ERIRuntime

/// What `bench` tells.
struct BenchReport {
  let command: BenchCommand
  let session: Session
  let inputs: [Session.InputShape]
  /// What `--tune` found.
  let tuning: PlanTuning.Result?
  /// Of the measured runs, ascending.
  let milliseconds: [Double]
  let profile: ProfileTable?
  /// Of one run, in direct form.
  let multiplyAdds: Int
  /// Multiply-adds a second of registers alone, one thread.
  let peak: Double

  init(
    command: BenchCommand, session: Session, inputs: [Session.InputShape], tuning: PlanTuning.Result?,
    milliseconds: [Double]
  ) throws(RuntimeError) {
    self.command = command
    self.session = session
    self.inputs = inputs
    self.tuning = tuning
    self.milliseconds = milliseconds.sorted()
    if command.profiles {
      let table = try ProfileTable(session, runs: milliseconds.count + 1, threads: command.threads)
      (profile, peak) = (table, table.peak)
    } else {
      profile = nil
      peak = try ArithmeticPeak.multiplyAdds(instructionSet: session.instructionSet, threads: command.threads)
    }
    multiplyAdds = session.profile.reduce(0) { $0 &+ $1.multiplyAdds }
  }

  private var middle: Double { median(milliseconds) ?? 0 }
  private var least: Double { milliseconds.first ?? 0 }
  /// At most one run in ten took longer.
  private var ninetieth: Double {
    milliseconds.isEmpty ? 0 : milliseconds[min(milliseconds.count - 1, (milliseconds.count * 9 + 9) / 10 - 1)]
  }
  private var rate: Double { middle > 0 ? Double(multiplyAdds) * 2 / middle / 1e6 : 0 }
  private var peakRate: Double { peak * 2 * Double(command.threads) / 1e9 }

  var text: String {
    let shapes = inputs.map { "\($0.name) \(shapeText($0.shape))" }
    var lines = [
      joined(shapes, separator: ", "),
      "median_ms \(fixed(middle, 3)) (least \(fixed(least, 3)), 90th percentile \(fixed(ninetieth, 3)), "
        + "of \(milliseconds.count) runs after one that was not measured, \(session.instructionSet), "
        + "threads \(command.threads))",
      "\(fixed(rate, 1)) GFLOP/s of a direct computation, \(fixed(peakRate > 0 ? rate / peakRate * 100 : 0, 1)) % of the "
        + "\(fixed(peakRate, 1)) that multiply-adds in registers reach",
      "\(grouped(session.weightByteCount)) bytes of weights, \(grouped(session.arenaByteCount)) of values, "
        + "\(grouped(Int(clamping: eri_memory_peak_resident()))) resident at most",
    ]
    if let tuning {
      lines.append(
        "tuned: \(fixed(tuning.tunedMilliseconds, 3)) ms, the rules' plan \(fixed(tuning.ruledMilliseconds, 3)) ms in the same "
          + "rounds, ratio \(fixed(tuning.ratio, 3)): \(counted(tuning.choices.direct.count, "convolution")) computed directly, "
          + "chunks of \(tuning.choices.outerItems) items and \(tuning.choices.cacheBytes) bytes; "
          + "remembered in \(PlanFile.path(of: command.model))")
    } else if session.usesTunedPlan {
      lines.append("with the choices remembered in \(PlanFile.path(of: command.model))")
    }
    if let profile { lines.append(profile.text) }
    return joined(lines, separator: "\n")
  }

  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("model") { $0.string(command.model) }
      json.member("inputs") { json in
        json.array { json in
          for input in inputs {
            json.object { json in
              json.member("name") { $0.string(input.name) }
              json.member("shape") { $0.integers(input.shape) }
            }
          }
        }
      }
      json.member("instruction_set") { $0.string(session.instructionSet) }
      json.member("threads") { $0.integer(command.threads) }
      json.member("rounds") { $0.integer(milliseconds.count) }
      json.member("median_ms") { $0.number(middle) }
      json.member("least_ms") { $0.number(least) }
      json.member("p90_ms") { $0.number(ninetieth) }
      json.member("multiply_adds") { $0.integer(multiplyAdds) }
      json.member("gflops") { $0.number(rate) }
      json.member("peak_gflops") { $0.number(peakRate) }
      json.member("tuned") { $0.boolean(session.usesTunedPlan) }
      if let tuning {
        json.member("tuning") { json in
          json.object { json in
            json.member("tuned_ms") { $0.number(tuning.tunedMilliseconds) }
            json.member("ruled_ms") { $0.number(tuning.ruledMilliseconds) }
            json.member("ratio") { $0.number(tuning.ratio) }
            json.member("direct") { $0.integers(tuning.choices.direct) }
            json.member("outer_items") { $0.integer(tuning.choices.outerItems) }
            json.member("cache_bytes") { $0.integer(tuning.choices.cacheBytes) }
          }
        }
      }
      json.member("arena_bytes") { $0.integer(session.arenaByteCount) }
      json.member("weight_bytes") { $0.integer(session.weightByteCount) }
      json.member("peak_resident_bytes") { $0.integer(Int(clamping: eri_memory_peak_resident())) }
      profile?.write(to: &json)
    }
    return json.text
  }
}
