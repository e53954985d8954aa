import CERISystem
import ERICommands
import ERIMedia
import Foundation

/// Reads live sources on threads of their own and hands over whole steps.
final class LiveFeed: @unchecked Sendable {
  /// A step and when it was whole, on the monotonic clock.
  struct Arrival {
    let step: LiveStep
    let time: UInt64
  }

  /// A source and what is wanted of it.
  struct Request {
    let source: LiveSource
    let pictures: Bool
    let sound: Bool
  }

  /// Guards all that follows.
  private let condition = NSCondition()
  private var assembly: StepAssembly
  private var arrivals: [Arrival] = []
  private var openInputs: Int
  private var failure: MediaError?
  private var warnings: [String] = []
  private var soundCount = 0
  private let interruption: MediaInterruption
  private let isPaced: Bool
  private let drops: Bool
  private let start = eri_clock_monotonic()

  /// Steps that wait at most where nothing may be dropped.
  private static let mostWaiting = 4
  /// How often a waiting thread looks whether the process was asked to end.
  private static let patience = 0.05

  /// Starts to read.
  /// - Parameters: step: seconds of a step · isPaced: wait for each picture's and sample's time · drops: never let a source wait
  init(_ inputs: [LiveInput], step: Double, isPaced: Bool, drops: Bool, interruption: MediaInterruption) {
    assembly = StepAssembly(
      length: step, hasPictures: inputs.contains { $0.hasPictures }, hasSound: inputs.contains { $0.hasSound })
    openInputs = inputs.count
    self.interruption = interruption
    self.isPaced = isPaced
    self.drops = drops
    for input in inputs {
      let handed = Handed(value: input)
      LiveFeed.detach { self.read(handed.value) }
    }
  }

  /// What one thread gives to another and does not touch again.
  private struct Handed<Value>: @unchecked Sendable { let value: Value }

  /// Opens sources; nil if the process was asked to end first, since opening waits for their first bytes.
  static func open(_ requests: [Request], _ interruption: MediaInterruption) throws(CommandFailure) -> [LiveInput]? {
    let opening = Opening()
    detach {
      do throws(MediaError) {
        for request in requests {
          let input = try LiveInput(
            request.source, wantsPictures: request.pictures, wantsSound: request.sound, interruption: interruption)
          opening.condition.withLock { opening.inputs.append(input) }
        }
      } catch { opening.condition.withLock { opening.failure = error } }
      opening.condition.withLock { opening.isDone = true }
      opening.condition.broadcast()
    }
    opening.condition.lock()
    defer { opening.condition.unlock() }
    while !opening.isDone {
      if interruption.isAsked { return nil }
      _ = opening.condition.wait(until: Date(timeIntervalSinceNow: patience))
    }
    if interruption.isAsked { return nil }
    if let failure = opening.failure { throw CommandFailure(failure) }
    return opening.inputs
  }

  private final class Opening: @unchecked Sendable {
    let condition = NSCondition()
    var inputs: [LiveInput] = []
    var failure: MediaError?
    var isDone = false
  }

  private static func detach(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    // Decoders and swscale need more than some systems give a thread.
    thread.stackSize = 8 << 20
    thread.start()
  }

  // MARK: The reading threads

  private func read(_ input: LiveInput) {
    var fault: MediaError?
    do throws(MediaError) {
      while let events = try input.next() {
        for event in events { deliver(event) }
      }
    } catch { fault = error }
    condition.lock()
    if input.hasPictures { assembly.endPictures() }
    if input.hasSound { assembly.endSound() }
    if failure == nil { failure = fault }
    warnings += input.warnings
    openInputs -= 1
    collect()
    condition.broadcast()
    condition.unlock()
  }

  private func deliver(_ event: LiveInput.Event) {
    if isPaced { wait(for: event) }
    condition.lock()
    switch event {
    case .picture(let picture): assembly.add(picture)
    case .sound(let samples):
      assembly.add(samples)
      soundCount += samples.count
    }
    collect()
    condition.broadcast()
    while !drops, arrivals.count >= LiveFeed.mostWaiting, !interruption.isAsked {
      _ = condition.wait(until: Date(timeIntervalSinceNow: LiveFeed.patience))
    }
    condition.unlock()
  }

  private func collect() {
    while let step = assembly.next() { arrivals.append(Arrival(step: step, time: eri_clock_monotonic())) }
  }

  /// Waits until a picture's time, or the end of a piece of sound, has come.
  private func wait(for event: LiveInput.Event) {
    let seconds =
      switch event {
      case .picture(let picture): picture.seconds
      case .sound(let samples):
        Double(condition.withLock { soundCount } + samples.count) / Double(Sound.sampleRate)
      }
    while !interruption.isAsked {
      let left = seconds - Double(eri_clock_monotonic() - start) / 1e9
      guard left > 0 else { return }
      Thread.sleep(forTimeInterval: min(left, LiveFeed.patience))
    }
  }

  // MARK: The working thread

  /// Waits for whole steps and takes all there are, or one where nothing may be dropped.
  /// - Returns: nil after the last, or once the process is asked to end.
  /// - Throws: `CommandFailure` if a source failed, once the steps before are taken.
  func next() throws(CommandFailure) -> [Arrival]? {
    condition.lock()
    defer { condition.unlock() }
    while arrivals.isEmpty {
      if interruption.isAsked { return nil }
      if openInputs == 0 || failure != nil {
        if let failure { throw CommandFailure(failure) }
        return nil
      }
      _ = condition.wait(until: Date(timeIntervalSinceNow: LiveFeed.patience))
    }
    if interruption.isAsked { return nil }
    let count = drops ? arrivals.count : 1
    defer {
      arrivals.removeFirst(count)
      condition.broadcast()
    }
    return Array(arrivals.prefix(count))
  }

  /// What the sources did not give as expected, a sentence each; complete after the last step.
  var notes: [String] { condition.withLock { warnings } }
}
