/// A number for a person to read: three significant digits below a thousand, whole from there.
package func rounded(_ number: Double) -> String {
    // Beyond what an Int holds, and where a Double has no digits left.
    guard abs(number) < 1e15 else { return "\(number)" }
    let scale = abs(number) >= 100 ? 1.0 : abs(number) >= 10 ? 10.0 : 100.0
    let value = (number * scale).rounded() / scale
    return value == value.rounded() ? grouped(Int(value)) : String(value)
}

/// A whole number with thousands set off: 28,232.
package func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (place, digit) in digits.enumerated() {
        if place > 0, (digits.count - place) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return number < 0 ? "-" + text : text
}
