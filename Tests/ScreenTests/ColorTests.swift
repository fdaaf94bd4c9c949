import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ColorTests {
  @Test(arguments: ["", "#", "#12345", "#1234567", "123456", "#12345g", "#+12345", "#１23456"])
  func `what is not a colour is refused`(text: String) {
    #expect(Color(hex: text) == nil)
  }

  @Test func `a colour is read and written in hex`() {
    #expect(Color(hex: "#0a10FF") == .rgb(10, 16, 255))
    #expect(Color.rgb(10, 16, 255).hex == "#0a10ff")
    #expect(Color.terminalDefault.hex == nil)
  }

  @Test(arguments: [
    (Color.rgb(0, 0, 0), UInt8(16)), (.rgb(255, 255, 255), 231), (.rgb(255, 0, 0), 196),
    (.rgb(95, 135, 175), 67), (.rgb(128, 128, 128), 244), (.rgb(8, 8, 8), 232), (.ansi(9), 9),
    (.indexed(200), 200),
  ])
  func `the nearest of 256 avoids the sixteen a user may redefine`(color: Color, number: UInt8) {
    #expect(color.nearest256 == number)
  }

  @Test func `each of the 240 fixed colours is nearest to itself or to its twin`() {
    for number in UInt8(16)...255 {
      let channels = Color.indexed(number).channels ?? (0, 0, 0)
      let found = Color.rgb(channels.red, channels.green, channels.blue).nearest256
      let twin = Color.indexed(found).channels ?? (1, 1, 1)
      #expect(twin == channels)
    }
  }

  @Test(arguments: [
    (Color.rgb(250, 5, 5), UInt8(9)), (.rgb(0, 0, 0), 0), (.rgb(200, 0, 0), 1),
    (.rgb(255, 255, 255), 15),
    (.ansi(3), 3),
  ])
  func `the nearest of sixteen`(color: Color, number: UInt8) {
    #expect(color.nearest16 == number)
  }

  @Test func `a blend runs from one colour to the other`() {
    let black = Color.rgb(0, 0, 0)
    let white = Color.rgb(255, 255, 255)
    #expect(black.blended(with: white, amount: 0) == black)
    #expect(black.blended(with: white, amount: 0.5) == .rgb(128, 128, 128))
    #expect(black.blended(with: white, amount: 7) == white)
    #expect(black.blended(with: white, amount: .nan) == black)
    #expect(black.blended(with: .terminalDefault, amount: 0.9) == .terminalDefault)
  }

  @Test func `luminance orders colours as eyes do`() throws {
    let luminances = try [
      Color.rgb(0, 0, 0), .rgb(0, 0, 255), .rgb(255, 0, 0), .rgb(0, 255, 0), .rgb(255, 255, 255),
    ].map { try #require($0.luminance) }
    #expect(luminances == luminances.sorted())
    #expect(luminances.first == 0)
    #expect(abs((luminances.last ?? 0) - 1) < 1e-9)
    #expect(Color.terminalDefault.luminance == nil)
  }
}
