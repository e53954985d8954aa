package import ERIFormat
import ERIRuntime

extension Program {
  /// Names of the inputs and their extents for one sample, the batch's left out.
  package var sampleShapes: [(name: String, shape: [Int])] {
    let sizes = [Int?](repeating: 1, count: graph.symbols.count)
    return inputs.map { index in
      (graph.values[index].name, types[index].shape.dropFirst().map { $0.evaluated(sizes) ?? 1 })
    }
  }
}

/// Runs samples through a model by the runtime that ships.
package final class Predictor {
  private let session: Session
  private let threads: WorkerThreads
  private let place: String
  private var bound = 0

  /// - Parameter place: what messages call the model.
  package init(_ model: Model, place: String, threads: WorkerThreads) throws(TrainError) {
    self.threads = threads
    self.place = place
    do throws(FormatError) {
      let program = try Program(validating: model)
      var options = SessionOptions()
      options.threads = threads.count
      do throws(RuntimeError) { session = try Session(program, options: options) } catch {
        throw FormatError(error.kind == .unsupported ? .unsupported : .invalid, at: place, "\(error)")
      }
    } catch { throw TrainError(error, in: place) }
  }

  /// Names of the inputs.
  package var inputs: [String] { session.inputDescriptions.map(\.name) }

  /// The first output of each sample, one after another.
  /// - Parameters:
  ///   - shapes: of each input for one sample.
  ///   - batch: samples that run at once.
  ///   - progress: called with the samples done so far.
  package func outputs(
    of samples: [Int], from source: any SampleSource, shapes: [(name: String, shape: [Int])], batch: Int,
    progress: (Int) -> Void = { _ in }
  ) throws(TrainError) -> [Float] {
    var outputs: [Float] = []
    let batch = min(batch, samples.count)
    for start in stride(from: 0, to: samples.count, by: max(1, batch)) {
      let part = Array(samples[start..<min(start + batch, samples.count)])
      try bind(shapes, batch: batch)
      for (name, shape) in shapes { try fill(name, shape.reduce(1, *), part, from: source) }
      do throws(RuntimeError) { try session.runToEnd() } catch { throw TrainError(.invalid, "\(place): \(error)") }
      let values = session.withOutput(0) { [Float]($0) } ?? []
      // Where fewer samples are left than were bound, the rest of the batch still holds earlier ones.
      outputs += values.prefix(values.count / batch * part.count)
      progress(start + part.count)
    }
    return outputs
  }

  private func bind(_ shapes: [(name: String, shape: [Int])], batch: Int) throws(TrainError) {
    guard bound != batch else { return }
    do throws(RuntimeError) { try session.bind(shapes.map { Session.InputShape($0.name, [batch] + $0.shape) }) } catch {
      throw TrainError(error.kind == .unsupported ? .unsupported : .invalid, "\(place): \(error)")
    }
    bound = batch
  }

  private func fill(
    _ name: String, _ size: Int, _ samples: [Int], from source: any SampleSource
  ) throws(TrainError) {
    var failures = [TrainError?](repeating: nil, count: samples.count)
    _ = session.withInput(name) { input in
      failures.withUnsafeMutableBufferPointer { failures in
        nonisolated(unsafe) let failures = failures
        threads.run(samples.count) { index, _ in
          let values = UnsafeMutableBufferPointer(rebasing: input[index * size..<(index + 1) * size])
          do throws(TrainError) { try source.fill(name, of: samples[index], Augmentation(), into: values) } catch {
            failures[index] = error
          }
        }
      }
    }
    for failure in failures { if let failure { throw failure } }
  }
}
