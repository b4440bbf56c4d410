/// The one of several names that a mistyped one is closest to, or nil when none is close.
package func nearest(_ text: String, of names: [String]) -> String? {
    let best = names.map { (name: $0, distance: editDistance(text.lowercased(), $0.lowercased())) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= max(2, text.count / 3) else { return nil }
    return best.name
}

/// Letters to insert, remove or replace to come from one text to the other (Levenshtein).
private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let replaced = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}
