import Glibc

/// Fills `destination` with a file's bytes from `offset` on.
///
/// - Returns: how many there are; nil where the system refuses, for the reason in `errno`.
func readFully(
  _ descriptor: Int32, at offset: Int, into destination: UnsafeMutableRawBufferPointer
) -> Int? {
  guard let base = destination.baseAddress else { return 0 }
  var done = 0
  while done < destination.count {
    let got = pread(descriptor, base + done, destination.count - done, offset + done)
    if got < 0 && errno == EINTR { continue }
    guard got >= 0 else { return nil }
    guard got > 0 else { break }
    done += got
  }
  return done
}
