/// A token's number: a byte, or what a tokenizer has made of a text.
package typealias Token = UInt16
