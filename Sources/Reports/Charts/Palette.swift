/// The colours of series: after Okabe and Ito, shifted until every pair is far apart for all kinds of colour vision, and
/// each stands out from the page.
package enum Palette {
    package static let light = ["#15437f", "#c27719", "#01985f", "#9b7fa3", "#01001a", "#654000"]
    package static let dark = ["#8ae3ff", "#c46e14", "#69996c", "#8d6895", "#fbca05", "#eaffd8"]
    /// What charts lie on: the card, and the bands of every second phase.
    package static let lightGrounds = ["#ffffff", "#f0ede7"]
    package static let darkGrounds = ["#1c1e22", "#2a2c31"]
    /// Text, softer text, and lines of the grid.
    package static let lightInk = ["#1d1d1f", "#55555d", "#d0ccc4"]
    package static let darkInk = ["#ececef", "#b4b4bd", "#45474e"]

    /// Index of the colour that stands out most from its ground.
    static let harm = 4

    static func colour(_ index: Int) -> String { light[index % light.count] }

    /// What turns a chart's light colours into dark ones. A chart has the light ones as attributes, so that it keeps
    /// them when it is copied out of its page.
    static var style: String {
        var rules = ""
        for (index, colour) in dark.enumerated() { rules += ".s\(index){stroke:\(colour)}.f\(index){fill:\(colour)}" }
        rules += ".ground{fill:\(darkGrounds[0])}.band{fill:\(darkGrounds[1])}.ink{fill:\(darkInk[0])}"
        rules += ".soft-ink{fill:\(darkInk[1])}.rule{stroke:\(darkInk[2])}.edge{stroke:\(darkInk[0])}"
        rules += ".hollow{fill:\(darkGrounds[0])}.halo{stroke:\(darkGrounds[0])}"
        return "@media screen and (prefers-color-scheme:dark){\(rules)}"
    }

    /// The same for a page, whose own colours are those of the charts, with names for its style sheet.
    static var pageStyle: String {
        func names(_ colours: [String], _ ink: [String], _ grounds: [String]) -> String {
            colours.enumerated().map { "--c\($0):\($1);" }.joined()
                + "--ink:\(ink[0]);--soft:\(ink[1]);--line:\(ink[2]);--card:\(grounds[0]);--band:\(grounds[1]);"
        }
        return ":root{\(names(light, lightInk, lightGrounds))}"
            + "@media screen and (prefers-color-scheme:dark){:root{\(names(dark, darkInk, darkGrounds))}}" + style
    }

    static func stroke(_ index: Int) -> (colour: String, name: String) {
        (colour(index), "s\(index % light.count)")
    }
}
