import CAVFormat
import Synchronization

/// Asks whoever waits for bytes of a source to give up.
package final class MediaInterruption: Sendable {
  private let isSet = Atomic<Bool>(false)
  private let other: @Sendable () -> Bool

  /// - Parameter other: a second reason to give up, asked now and then from any thread
  package init(or other: @escaping @Sendable () -> Bool = { false }) { self.other = other }

  /// Ends reading, from any thread.
  package func ask() { isSet.store(true, ordering: .relaxed) }

  package var isAsked: Bool { isSet.load(ordering: .relaxed) || other() }

  /// What libav calls while it waits; this object must outlive its use.
  var callback: AVIOInterruptCB {
    AVIOInterruptCB(
      callback: { context in
        guard let context else { return 0 }
        return Unmanaged<MediaInterruption>.fromOpaque(context).takeUnretainedValue().isAsked ? 1 : 0
      }, opaque: Unmanaged.passUnretained(self).toOpaque())
  }
}

/// The systems through which libavdevice reads.
enum DeviceKind {
  case camera
  case microphone

  /// What messages call it.
  var name: String {
    switch self {
    case .camera: "camera"
    case .microphone: "microphone"
    }
  }

  /// libavdevice's name of the system.
  var demuxer: String {
    switch self {
    case .camera: "v4l2"
    case .microphone: "alsa"
    }
  }
}
