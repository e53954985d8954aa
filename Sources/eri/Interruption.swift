import Foundation
import Synchronization

/// Whether the process was asked to end: the first SIGINT or SIGTERM lets work finish what it is at, the second ends it.
enum Interruption {
  private static let signal = Atomic<Int32>(0)

  /// Takes the signals from now on.
  static func watch() {
    // Made before a signal can come: a handler must not be the first to touch it.
    signal.store(0, ordering: .relaxed)
    // A process inherits what its parent's thread had blocked, and some libraries' threads block everything.
    var numbers = sigset_t()
    sigemptyset(&numbers)
    for number in [SIGINT, SIGTERM] { sigaddset(&numbers, number) }
    pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
    for number in [SIGINT, SIGTERM] {
      Foundation.signal(number) { number in
        Interruption.signal.store(number, ordering: .relaxed)
        Foundation.signal(number, SIG_DFL)
      }
    }
  }

  static var isAsked: Bool { signal.load(ordering: .relaxed) != 0 }

  /// What a shell makes of a process that a signal ended: 128 + its number.
  static var exitCode: Int32 { 128 + signal.load(ordering: .relaxed) }
}
