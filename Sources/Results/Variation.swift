internal import PostRecords
package import Units

/// A setting, or a placeholder of somebody's own command, and the values it takes in a sweep:
/// `limit=none,request:16..1024x4`, `max-idle=2,64`.
package struct Variation: Sendable, Codable, Equatable {
    package var name: String
    package var values: [String]

    /// - Throws: ``UnitTextError`` naming the value that the setting cannot take.
    package init(text: String) throws(UnitTextError) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[1].isEmpty else {
            throw UnitTextError(
                text: text,
                expected: "a variation: write SETTING=VALUE,VALUE, as in limit=none,request:16..1024x4"
            )
        }
        name = String(sides[0])
        values = []
        var given: [String] = []
        for part in try Self.split(String(sides[1])) { given += try Self.expand(part) }
        var seen: Set<String> = []
        for value in given where seen.insert(value).inserted {
            do throws(Settings.Problem) {
                _ = try SettingChange(name, value)
            } catch {
                throw UnitTextError(text: text, expected: "a variation: \(error)")
            }
            values.append(value)
        }
    }

    /// A placeholder and its values: any text without a comma, or with `\\,` for one.
    /// - Throws: ``UnitTextError``
    package init(placeholder text: String) throws(UnitTextError) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, CommandTemplate.isName(sides[0]) else {
            throw UnitTextError(
                text: text,
                expected: "a variation: write NAME=VALUE,VALUE, as in pool=1..64x4, and {NAME} into the command"
            )
        }
        name = String(sides[0])
        values = []
        var given: [String] = []
        for part in Self.parts(String(sides[1])) {
            guard !part.isEmpty else {
                throw UnitTextError(text: text, expected: "a list of values: one is empty")
            }
            given += Self.looksLikeRange(part) ? try Self.expand(part) : [part]
        }
        var seen: Set<String> = []
        values = given.filter { seen.insert($0).inserted }
    }

    /// What stands between commas that have no backslash before them.
    private static func parts(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if isEscaped, character != "," { parts[parts.count - 1].append("\\") }
            if character == ",", !isEscaped {
                parts.append("")
            } else if character != "\\" || isEscaped {
                parts[parts.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        if isEscaped { parts[parts.count - 1].append("\\") }
        return parts
    }

    /// Whether it is meant as a range: `..` between two digits.
    private static func looksLikeRange(_ value: String) -> Bool {
        guard let dots = value.range(of: "..") else { return false }
        return value[..<dots.lowerBound].last?.isNumber == true && value[dots.upperBound...].first?.isNumber == true
    }

    /// The values between commas; what has a `=` belongs to the value before it, as in `aimd:min=20,max=50`.
    private static func split(_ text: String) throws(UnitTextError) -> [String] {
        var values: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if part.contains("="), !part.contains(":"), !values.isEmpty {
                values[values.count - 1] += "," + part
            } else {
                guard !part.isEmpty else {
                    throw UnitTextError(text: text, expected: "a list of values: one between two commas is missing")
                }
                values.append(String(part))
            }
        }
        return values
    }

    /// `16..1024x4` stands for 16, 64, 256 and 1024; `16..64+16` for 16, 32, 48 and 64.
    private static func expand(_ value: String) throws(UnitTextError) -> [String] {
        guard let dots = value.range(of: "..") else { return [value] }
        let head = value[..<dots.lowerBound]
        let prefix = head.prefix(head.count - head.reversed().prefix { $0.isNumber }.count)
        let tail = value[dots.upperBound...]
        let step = tail.firstIndex { $0 == "x" || $0 == "+" }
        guard let low = Int(head.dropFirst(prefix.count)), let step, let high = Int(tail[..<step]),
            let by = Int(tail[tail.index(after: step)...]), low >= 1, high >= low,
            tail[step] == "x" ? by >= 2 : by >= 1
        else {
            throw UnitTextError(text: value, expected: "a range: write LO..HIxFACTOR or LO..HI+STEP, as in 16..1024x4")
        }
        var numbers: [Int] = []
        var next: Int? = low
        while let number = next, number <= high {
            guard numbers.count < SweepPlan.mostCombinations else {
                throw UnitTextError(text: value, expected: "a range of \(SweepPlan.mostCombinations) values or fewer")
            }
            numbers.append(number)
            let (following, overflows) =
                tail[step] == "x" ? number.multipliedReportingOverflow(by: by) : number.addingReportingOverflow(by)
            next = overflows ? nil : following
        }
        return numbers.map { "\(prefix)\($0)" }
    }
}

extension String {
    /// Where a text stands in this one.
    fileprivate func range(of text: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }
}
