/// The MFCC of sound that is still coming.
///
/// Each frame's bands are computed once, as soon as all of its samples are there. How quiet a band may be depends on the loudest
/// one: `MFCC` takes it from the whole clip, which here is not known yet, so it is taken from the frames that are asked for.
/// Where these are all of a clip's frames, the coefficients are those of `MFCC.compute`, bit for bit.
package struct MFCCStream: Sendable {
  private let mfcc: MFCC
  private let limit: Int
  /// Samples that frames to come still need, and how many came before them.
  private var samples: [Float] = []
  private var dropped = 0
  private var received = 0
  /// Decibels [kept frames, melCount].
  private var decibels: [Float] = []
  /// Frames so far, those no longer kept included.
  package private(set) var frameCount = 0

  /// - Parameter limit: how many frames to keep, at least 1.
  package init(_ mfcc: MFCC, keeping limit: Int) {
    self.mfcc = mfcc
    self.limit = max(limit, 1)
  }

  /// How many frames can be asked for.
  package var keptCount: Int { decibels.count / mfcc.parameters.melCount }

  /// Takes the next samples and computes the frames that they complete.
  /// - Throws: `.notFinite`; the stream is then as it was before.
  package mutating func append(_ next: [Float]) throws(SignalError) {
    try mfcc.checkFinite(next)
    samples += next
    received += next.count
    // Frame t reaches up to half its size beyond sample t · hop.
    let (half, hop) = (mfcc.parameters.fftSize / 2, mfcc.parameters.hopLength)
    compute(until: received < half ? 0 : (received - half) / hop + 1)
  }

  /// Computes the frames that reach beyond the end, as though silence followed.
  package mutating func finish() { compute(until: mfcc.frameCount(samples: received)) }

  private mutating func compute(until count: Int) {
    guard count > frameCount else { return }
    let (size, hop, bands) = (mfcc.parameters.fftSize, mfcc.parameters.hopLength, mfcc.parameters.melCount)
    let frames = count - frameCount
    var fresh = [Float](repeating: 0, count: frames * bands)
    let start = frameCount * hop - size / 2 - dropped
    _ = samples.withUnsafeBufferPointer { mfcc.melDecibels($0, start: start, frames: frames, into: &fresh) }
    frameCount = count
    decibels += fresh
    if keptCount > limit { decibels.removeFirst((keptCount - limit) * bands) }
    let unneeded = min(max(frameCount * hop - size / 2 - dropped, 0), samples.count)
    samples.removeFirst(unneeded)
    dropped += unneeded
  }

  /// The coefficients [count, coefficients] of the latest frames, quiet bands cut relative to the loudest of these.
  /// - Parameter count: how many, as far as they are kept
  package func coefficients(count: Int) -> [Float] {
    let bands = mfcc.parameters.melCount
    let window = [Float](decibels.suffix(max(count, 0) * bands))
    var loudest = -Float.infinity
    for value in window { loudest = max(loudest, value) }
    return mfcc.coefficients(window, frames: window.count / bands, loudest: loudest)
  }
}
