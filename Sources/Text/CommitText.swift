/// A commit as people read it: as many digits as tell commits apart, and what follows them, as `-changed`.
package func shortened(commit: String) -> String {
    let digits = commit.prefix { $0.isHexDigit }
    return String(digits.prefix(12)) + commit.dropFirst(digits.count)
}
