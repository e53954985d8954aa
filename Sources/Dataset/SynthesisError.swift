/// Why a clip could not be synthesised or written; `description` is one sentence for the user.
package enum SynthesisError: Error, Equatable, CustomStringConvertible {
  /// The measures asked for are outside what can be made.
  case badFormat(String)
  /// A folder or file cannot be written.
  case notWritable(path: String, reason: String)
  /// libavcodec was built without an encoder.
  case missingEncoder(name: String)
  /// A step of libavformat or libavcodec failed.
  case encodingFailed(path: String, step: String, reason: String)

  package var description: String {
    switch self {
    case .badFormat(let text):
      "Cannot synthesise a clip: \(text)."
    case .notWritable(let path, let reason):
      "\(path): cannot be written (\(reason)); choose a folder that exists or can be made, and that you may write to."
    case .missingEncoder(let name):
      "This machine's libavcodec has no encoder named \(name): install the distribution's libavcodec with that encoder."
    case .encodingFailed(let path, let step, let reason):
      "\(path): \(step) failed in libav (\(reason)), nothing was written."
    }
  }
}
