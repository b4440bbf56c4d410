import Foundation
import Testing

/// An SVG text as a reader finds it, without what drew it: its scales, and the points of its lines.
struct DrawnSVG {
    let text: String
    /// The start tag of the picture itself.
    private let head: Substring

    init(_ text: String) {
        self.text = text
        head = text.prefix { $0 != ">" }
    }

    /// An attribute of the picture itself.
    func attribute(_ name: String) throws -> String { try #require(Self.attribute(name, in: head), "no \(name)") }

    func number(_ name: String) throws -> Double { try #require(Double(try attribute(name))) }

    /// The start tags of an element's name, each without its angle brackets.
    func tags(_ name: String) -> [Substring] {
        text.split(separator: "<").filter { $0.hasPrefix(name + " ") || $0.hasPrefix(name + ">") }
            .map { $0.prefix { $0 != ">" } }
    }

    static func attribute(_ name: String, in tag: Substring) -> String? {
        guard let begin = tag.range(of: " \(name)=\"")?.upperBound else { return nil }
        return String(tag[begin...].prefix { $0 != "\"" })
            .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    }

    /// The stretches of a series' line, in pixels.
    func line(_ series: String) throws -> [[(x: Double, y: Double)]] {
        let path = try #require(
            tags("path").first { Self.attribute("data-series", in: $0) == series }.flatMap {
                Self.attribute("d", in: $0)
            },
            "no line of \(series)"
        )
        guard path != "M0 0" else { return [] }
        return path.split(separator: "M").map { stretch in
            stretch.split(separator: "L").map { point in
                let numbers = point.replacing("Z", with: "").split(separator: " ").compactMap { Double($0) }
                return (numbers[0], numbers[1])
            }
        }
    }

    /// What a height in pixels stands for.
    func value(at y: Double) throws -> Double {
        let (top, bottom) = (try number("data-top"), try number("data-bottom"))
        let (low, high) = (try number("data-low"), try number("data-high"))
        let share = (bottom - y) / (bottom - top)
        return try attribute("data-scale") == "linear" ? low + share * (high - low) : low * pow(high / low, share)
    }

    func time(at x: Double) throws -> Double {
        let (left, right) = (try number("data-left"), try number("data-right"))
        let (begin, end) = (try number("data-begin"), try number("data-end"))
        return begin + (x - left) / (right - left) * (end - begin)
    }

    /// What a pixel's twentieth is of a value: as exact as a picture is.
    func precision(at y: Double) throws -> Double { abs(try value(at: y - 0.06) - value(at: y + 0.06)) }
}
