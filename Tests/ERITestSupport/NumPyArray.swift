import Foundation

/// A `.npy` file of little-endian float32 in C order, as the goldens are stored.
package struct NumPyArray {
  package let shape: [Int]
  package let values: [Float]

  package struct Unreadable: Error { package let reason: String }

  package init(_ url: URL) throws {
    let bytes = try [UInt8](Data(contentsOf: url))
    guard bytes.count >= 10, Array(bytes[0..<6]) == [0x93] + Array("NUMPY".utf8), bytes[6] == 1 else {
      throw Unreadable(reason: "\(url.path): expected a .npy file of version 1")
    }
    let headerEnd = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
    guard headerEnd <= bytes.count else { throw Unreadable(reason: "\(url.path): header cut off") }
    let header = String(decoding: bytes[10..<headerEnd], as: UTF8.self)
    guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False"),
      let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
    else { throw Unreadable(reason: "\(url.path): expected <f4 in C order, found \(header)") }
    shape = header[header.index(after: open)..<close].split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    values = stride(from: headerEnd, to: bytes.count - 3, by: 4).map { start in
      Float(
        bitPattern: UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
          | UInt32(bytes[start + 3]) << 24)
    }
    guard values.count == shape.reduce(1, *) else { throw Unreadable(reason: "\(url.path): data cut off") }
  }
}
