/// How a file stores the numbers of a tensor, little-endian.
package enum StoredNumber: String, Sendable, CaseIterable {
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case e4m3 = "F8_E4M3"
  case e5m2 = "F8_E5M2"

  package var bytes: Int {
    switch self {
    case .f64: 8
    case .f32: 4
    case .f16, .bf16: 2
    case .e4m3, .e5m2: 1
    }
  }
}

/// Turns `count` stored numbers from number `start` of `stored` on into Float32 at the same places.
///
/// All types but F64 are exact; of that a number beyond Float32's range becomes infinite.
package func decode(
  _ stored: Buffer<UInt8>, as type: StoredNumber, from start: Int, count: Int,
  into values: FloatBuffer
) {
  precondition(
    (start + count) * type.bytes <= stored.count && start + count <= values.count,
    "\(count) numbers from \(start) on")
  let source = UnsafeRawPointer(stored.base) + start * type.bytes
  let target = values.base + start
  switch type {
  case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count * 4)
  case .f64: source.each(count, as: Double.self) { target[$0] = Float($1) }
  case .bf16:
    source.each(count, as: UInt16.self) { target[$0] = Float(bitPattern: UInt32($1) << 16) }
  case .f16: source.each(count, as: UInt16.self) { target[$0] = half($1) }
  case .e4m3: source.each(count, as: UInt8.self) { target[$0] = e4m3($1) }
  case .e5m2: source.each(count, as: UInt8.self) { target[$0] = half(UInt16($1) << 8) }
  }
}

/// Turns the first `count` numbers into stored ones of `type` at the same places of `stored`, each into
/// the nearest, of two that are as near into the even one.
///
/// F64 and F32 are exact; in the others what is beyond the largest number becomes infinite. Those of
/// eight bits are read only.
package func encode(
  _ values: FloatBuffer, count: Int, as type: StoredNumber, into stored: Buffer<UInt8>
) {
  precondition(count <= values.count && count * type.bytes <= stored.count, "\(count) numbers")
  let (source, target) = (values.base, UnsafeMutableRawPointer(stored.base))
  switch type {
  case .f32: target.copyMemory(from: source, byteCount: count * 4)
  case .f64: target.each(count) { Double(source[$0]) }
  case .bf16: target.each(count) { brain(source[$0].bitPattern) }
  case .f16: target.each(count) { Float16(source[$0]).bitPattern }
  case .e4m3, .e5m2: preconditionFailure("\(type.rawValue) is not written")
  }
}

/// The upper half of a Float32, rounded; NaN stays NaN.
@inline(__always)
private func brain(_ bits: UInt32) -> UInt16 {
  guard bits & 0x7FFF_FFFF <= 0x7F80_0000 else { return UInt16(bits >> 16) | 0x40 }
  return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
}

extension UnsafeMutableRawPointer {
  @inline(__always)
  fileprivate func each<Number: BitwiseCopyable>(_ count: Int, _ body: (_ index: Int) -> Number) {
    for index in 0..<count {
      storeBytes(
        of: body(index), toByteOffset: index &* MemoryLayout<Number>.stride, as: Number.self)
    }
  }
}

extension UnsafeRawPointer {
  @inline(__always)
  fileprivate func each<Number: BitwiseCopyable>(
    _ count: Int, as type: Number.Type, _ body: (_ index: Int, _ number: Number) -> Void
  ) {
    for index in 0..<count {
      body(index, loadUnaligned(fromByteOffset: index &* MemoryLayout<Number>.stride, as: type))
    }
  }
}

/// Exponent and mantissa moved to Float32's places are the number times 2⁻¹¹², subnormals too.
@inline(__always)
private func half(_ bits: UInt16) -> Float {
  let magnitude = UInt32(bits & 0x7FFF) << 13
  let sign = UInt32(bits & 0x8000) << 16
  guard bits & 0x7C00 != 0x7C00 else { return Float(bitPattern: sign | magnitude | 0x7F80_0000) }
  return Float(bitPattern: (Float(bitPattern: magnitude) * 0x1p112).bitPattern | sign)
}

/// The same by 2⁻¹²⁰; all ones are NaN, and nothing is infinite.
@inline(__always)
private func e4m3(_ bits: UInt8) -> Float {
  guard bits & 0x7F != 0x7F else { return .nan }
  let magnitude = Float(bitPattern: UInt32(bits & 0x7F) << 20) * 0x1p120
  return bits & 0x80 == 0 ? magnitude : -magnitude
}
