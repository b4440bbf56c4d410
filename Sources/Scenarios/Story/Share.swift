internal import Text

/// A share for people to read: nothing less than all is said to be 100%, and nothing more than none 0%.
struct Share: CustomStringConvertible {
    let description: String

    init(_ part: Int, of whole: Int) {
        self.init(percent: whole > 0 ? 100 * Double(part) / Double(whole) : 0)
    }

    /// - Parameter percent: from 0 to 100.
    init(percent: Double) {
        let text = rounded(percent)
        description =
            switch text {
            case "100" where percent < 100: "more than 99.9%"
            case "0" where percent > 0: "less than 0.01%"
            default: "\(text)%"
            }
    }
}
