/// Splits "2.5KiB" into the number 2.5 and the unit "KiB". Plain decimal digits only:
/// no sign, no exponent, so that every quantity has one spelling.
func splitQuantity(_ text: String) -> (number: Double, unit: Substring)? {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    guard digits.first != ".", digits.last != ".", let number = Double(digits) else { return nil }
    return (number, text[digits.endIndex...])
}

/// Writes a number with as few decimals as it needs: 2, 2.5, 0.125.
func shortest(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
}
