import ERICommands
import ERIConvert
import ERIDataset
import ERIFormat
import ERITrain
import Foundation

/// Reads what a model is calibrated with: clips, a prepared cache, or arrays named like the model's inputs.
struct CalibrationReading {
  let model: LoadedModel
  let path: String
  /// At most so many, evenly spread.
  let limit: Int
  let threads: Int

  func samples() throws(CommandFailure) -> [CalibrationSample] {
    if PreparedCache.isCache(path) { return try cacheSamples() }
    let program = try model.program()
    let names = program.inputs.map { program.graph.values[$0].name }
    let arrays = names.compactMap { name in
      let file = "\(path)/\(name.replacingOccurrences(of: "/", with: "_")).npy"
      return FileManager.default.fileExists(atPath: file) ? (name: name, file: file) : nil
    }
    return arrays.isEmpty ? try clipSamples() : try arraySamples(arrays, program)
  }

  /// Evenly spread places among so many.
  private func places(_ count: Int) -> [Int] {
    let taken = min(count, limit)
    return (0..<taken).map { $0 * count / taken }
  }

  private func cacheSamples() throws(CommandFailure) -> [CalibrationSample] {
    let program = try model.program()
    let names = program.inputs.map { program.graph.values[$0].name }
    do {
      let cache = try PreparedCache(path: path)
      try cache.check(fits: model.model.preprocessing, of: model.path)
      var clips = try cache.clips(in: .train)
      if clips.isEmpty { clips = try cache.clips(in: .validation) }
      clips = clips.filter { clip in
        names.contains("audio") && clip.hasSound || names.contains("faces") && clip.hasFaces
      }
      guard !clips.isEmpty else {
        throw CommandFailure(
          .invalid, "\(path): expected clips to train or validate with, found none that the model takes")
      }
      let source = try CacheSamples(cache, clips: clips, preprocessing: model.model.preprocessing, model: model.path)
      var samples: [CalibrationSample] = []
      for place in places(clips.count) {
        var inputs: [CalibrationSample.Input] = []
        for (name, shape) in program.sampleShapes {
          if name == "audio" && !clips[place].hasSound || name == "faces" && !clips[place].hasFaces { continue }
          var values = [Float](repeating: 0, count: shape.reduce(1, *))
          var failure: TrainError?
          values.withUnsafeMutableBufferPointer { values in
            do throws(TrainError) { try source.fill(name, of: place, Augmentation(), into: values) } catch {
              failure = error
            }
          }
          if let failure { throw failure }
          inputs.append(CalibrationSample.Input(name, [1] + shape, values))
        }
        samples.append(CalibrationSample(inputs))
      }
      return samples
    } catch let error as CommandFailure {
      throw error
    } catch let error as DatasetError {
      throw CommandFailure(error)
    } catch let error as TrainError { throw CommandFailure(error) } catch { throw CommandFailure(.invalid, "\(error)") }
  }

  private func clipSamples() throws(CommandFailure) -> [CalibrationSample] {
    let clips = try ClipPaths([path]).clips
    let estimator = try Estimator(path: model.path, threads: threads)
    let bar = ProgressBar()
    var samples: [CalibrationSample] = []
    for (number, place) in places(clips.count).enumerated() {
      do throws(CommandFailure) {
        let inputs = try estimator.inputs(ClipMedia(path: clips[place].path), detector: estimator.detector)
        samples.append(CalibrationSample(inputs.map { CalibrationSample.Input($0.name, $0.shape, $0.values) }))
      } catch {
        bar.clear()
        guard clips[place].isFromFolder else { throw error }
        Console.note("\(error.sentence); passed over")
      }
      bar.show(path, done: number + 1, of: min(limit, clips.count), "clips")
    }
    bar.clear()
    guard !samples.isEmpty else {
      throw CommandFailure(.invalid, "\(path): expected clips that can be read, found none")
    }
    return samples
  }

  /// Arrays of several samples along the first axis, or of one whose extents are fixed.
  private func arraySamples(
    _ arrays: [(name: String, file: String)], _ program: Program
  ) throws(CommandFailure) -> [CalibrationSample] {
    var read: [(name: String, shape: [Int], values: [Float])] = []
    do throws(FormatError) {
      for (name, path) in arrays {
        let file = try NPYFile(path: path)
        guard file.header.dtype == .f32, file.header.shape.first ?? 0 > 0 else {
          throw FormatError(
            .invalid, at: path,
            "expected float32 samples along the first axis, found \(file.header.dtype.name) \(shapeText(file.header.shape))"
          )
        }
        var values = [Float](repeating: 0, count: file.header.byteCount / 4)
        var failure: FormatError?
        values.withUnsafeMutableBytes { memory in
          do throws(FormatError) { try file.readValues(into: memory) } catch { failure = error }
        }
        if let failure { throw failure }
        read.append((name, file.header.shape, values))
      }
    } catch { throw CommandFailure(error) }
    let count = read[0].shape[0]
    let isBatch = program.inputs.allSatisfy { program.types[$0].shape.first?.symbols == [0] }
    guard isBatch else {
      return [CalibrationSample(read.map { CalibrationSample.Input($0.name, $0.shape, $0.values) })]
    }
    for array in read where array.shape[0] != count {
      throw CommandFailure(
        .invalid, "\(path): expected \(count) samples in each array, found \(array.shape[0]) of \"\(array.name)\"")
    }
    return places(count).map { place in
      CalibrationSample(
        read.map { array in
          let size = array.values.count / count
          return CalibrationSample.Input(
            array.name, [1] + array.shape.dropFirst(), Array(array.values[place * size..<(place + 1) * size]))
        })
    }
  }
}
