/// How often something happens, written `2.5/s` or `30/m`.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
    package var perSecond: Double

    package init(perSecond: Double) {
        self.perSecond = perSecond
    }

    /// - Throws: ``UnitTextError`` naming the accepted form. A rate of zero is refused.
    package init(text: String) throws(UnitTextError) {
        guard let (number, unit) = splitQuantity(text), number > 0, unit == "/s" || unit == "/m" else {
            throw UnitTextError(text: text, expected: "a rate above zero: write it as 2.5/s or 30/m")
        }
        perSecond = unit == "/s" ? number : number / 60
    }

    package var description: String { "\(shortest(perSecond))/s" }
}
