import CERISystem
import Testing

@Suite struct PlanesTests {
  @Test(arguments: 1...9, [0, 1, 7, 64, 1001])
  func `joined planes hold every element's bytes in a row`(elementBytes: Int, count: Int) {
    let planes = (0..<(elementBytes * count)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }
    var joined = [UInt8](repeating: 0, count: planes.count)
    eri_planes_join(planes, count, elementBytes, &joined)
    let expected = (0..<count).flatMap { index in (0..<elementBytes).map { planes[$0 * count + index] } }
    #expect(joined == expected)
  }
}
