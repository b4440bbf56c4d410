import Foundation
import Testing

@testable import Reports

/// The colours of series can be told apart by everyone, and from what they lie on.
@Suite("Palette")
struct PaletteTests {
    /// Linear red, green and blue of a colour, from 0 to 1.
    private func linear(_ colour: String) -> [Double] {
        let digits = Array(colour.dropFirst())
        return stride(from: 0, to: 6, by: 2).map { index in
            let value = Double(Int(String(digits[index...index + 1]), radix: 16)!) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
    }

    /// How people see who lack one kind of cone, after Machado, Oliveira and Fernandes (2009), severity 1.
    private static let visions: [(String, [[Double]])] = [
        ("all cones", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (
            "protanopia",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
        ),
        (
            "deuteranopia",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        ),
        (
            "tritanopia",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
        ),
    ]

    /// CIE L*a*b*, white of D65.
    private func lab(_ rgb: [Double]) -> [Double] {
        let (r, g, b) = (min(1, max(0, rgb[0])), min(1, max(0, rgb[1])), min(1, max(0, rgb[2])))
        func f(_ t: Double) -> Double { t > 0.008856 ? cbrt(t) : 7.787 * t + 16 / 116 }
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
        return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
    }

    private func distance(_ left: String, _ right: String, _ vision: [[Double]]) -> Double {
        let (a, b) = (seen(left, vision), seen(right, vision))
        return zip(a, b).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
    }

    private func seen(_ colour: String, _ vision: [[Double]]) -> [Double] {
        let rgb = linear(colour)
        return lab(vision.map { row in zip(row, rgb).map(*).reduce(0, +) })
    }

    /// Contrast as WCAG 2 has it.
    private func contrast(_ left: String, _ right: String) -> Double {
        func luminance(_ colour: String) -> Double {
            let rgb = linear(colour)
            return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
        }
        let (a, b) = (luminance(left), luminance(right))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    @Test(
        "every pair is far apart for every kind of colour vision (CIE76 of 25; 10 is what one sees at a glance)",
        arguments: [Palette.light, Palette.dark]
    )
    func distances(palette: [String]) {
        for (name, vision) in Self.visions {
            for (index, left) in palette.enumerated() {
                for right in palette[(index + 1)...] {
                    #expect(distance(left, right, vision) > 25, "\(left) and \(right), \(name)")
                }
            }
        }
    }

    @Test("lines stand out from what they lie on by 3 to 1, and text by 4.5")
    func contrasts() {
        let modes = [
            (Palette.light, Palette.lightInk, Palette.lightGrounds),
            (Palette.dark, Palette.darkInk, Palette.darkGrounds),
        ]
        for (palette, ink, grounds) in modes {
            for ground in grounds {
                for colour in palette { #expect(contrast(colour, ground) >= 3, "\(colour) on \(ground)") }
                for colour in ink.prefix(2) { #expect(contrast(colour, ground) >= 4.5, "\(colour) on \(ground)") }
            }
        }
    }

    @Test("a picture has its light colours as attributes, so that a copy keeps them, and its dark ones as a style")
    func copies() throws {
        let svg = try Pictures(try RecordedRun.result()).svg("ports")
        #expect(svg.contains("stroke=\"\(Palette.light[0])\"") && svg.contains("prefers-color-scheme:dark"))
        #expect(!svg.contains("var(--"))
    }
}
