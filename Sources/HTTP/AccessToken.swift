internal import POSIX
internal import Units

/// A secret that requests carry.
package struct AccessToken: Sendable, Equatable {
    /// Why a text is none.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    package let text: String

    /// - Throws: ``Problem``: it has 8 to 1000 characters that stand for themselves in an address.
    package init(_ text: String) throws(Problem) {
        guard (8...1000).contains(text.utf8.count), text.utf8.allSatisfy(Self.isPlain) else {
            throw Problem(description: "a token has 8 or more letters, digits, '-', '.', '_' or '~'")
        }
        self.text = text
    }

    /// The first line of a file, or of a pipe that is written to: a token on the command line is seen by all users of the
    /// machine.
    /// - Throws: ``Problem``, with the reason when the file cannot be read.
    package static func read(from path: String) throws(Problem) -> AccessToken {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try InputFile.contents(of: path, upTo: ByteCount(bytes: 64 << 10), .firstLine, silence: .seconds(2))
        } catch {
            throw Problem(description: "cannot \(error)")
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return try AccessToken(String(decoding: line, as: UTF8.self))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Compares in a time that does not tell how much was right.
    func matches(_ given: String) -> Bool {
        let (given, token) = (Array(given.utf8), Array(text.utf8))
        var difference = given.count ^ token.count
        for index in token.indices {
            difference |= Int(token[index] ^ (index < given.count ? given[index] : 0))
        }
        return difference == 0
    }
}
