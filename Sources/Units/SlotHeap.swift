/// Slots (small numbers, as those of array elements) in the order of their keys, lowest first. Each stands in it at most
/// once, and can be moved and taken out wherever it stands: all in O(log n).
package struct SlotHeap: Sendable {
    /// What entries are ordered by.
    package struct Key: Comparable, Sendable {
        package var major: UInt64
        /// Decides between keys with the same ``major``.
        package var minor: UInt64

        package init(_ major: UInt64, _ minor: UInt64 = 0) {
            self.major = major
            self.minor = minor
        }

        package static func < (left: Self, right: Self) -> Bool {
            left.major != right.major ? left.major < right.major : left.minor < right.minor
        }
    }

    /// A slot and its key.
    package struct Entry: Sendable {
        package var key: Key
        package var slot: Int
    }

    /// A binary heap: the children of element i are 2i + 1 and 2i + 2.
    private var entries: [Entry] = []
    /// The index of each slot in ``entries``, or -1.
    private var indices: [Int32] = []

    package init() {}

    package var first: Entry? { entries.first }
    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    /// Whether the slot is in the heap.
    package func contains(_ slot: Int) -> Bool { slot < indices.count && indices[slot] >= 0 }

    /// Puts a slot in, or moves it to where its new key belongs.
    /// - Parameter slot: 0 or more; memory is taken up to the highest.
    package mutating func set(_ slot: Int, _ key: Key) {
        while indices.count <= slot { indices.append(-1) }
        let entry = Entry(key: key, slot: slot)
        var index = Int(indices[slot])
        if index < 0 {
            index = entries.count
            entries.append(entry)
        }
        sift(entry, from: index)
    }

    /// Takes a slot out, if it is there.
    package mutating func remove(_ slot: Int) {
        guard contains(slot) else { return }
        let index = Int(indices[slot])
        indices[slot] = -1
        let last = entries.removeLast()
        if last.slot != slot { sift(last, from: index) }
    }

    /// Moves an entry to where it belongs, when the element at `index` is free for it.
    private mutating func sift(_ entry: Entry, from index: Int) {
        var index = index
        // Through pointers: checked at each step, the arrays take half of the time.
        entries.withUnsafeMutableBufferPointer { entries in
            indices.withUnsafeMutableBufferPointer { indices in
                while index > 0 {
                    let parent = (index - 1) / 2
                    guard entry.key < entries[parent].key else { break }
                    entries[index] = entries[parent]
                    indices[entries[parent].slot] = Int32(truncatingIfNeeded: index)
                    index = parent
                }
                while true {
                    var child = 2 * index + 1
                    guard child < entries.count else { break }
                    if child + 1 < entries.count, entries[child + 1].key < entries[child].key { child += 1 }
                    guard entries[child].key < entry.key else { break }
                    entries[index] = entries[child]
                    indices[entries[child].slot] = Int32(truncatingIfNeeded: index)
                    index = child
                }
                entries[index] = entry
                indices[entry.slot] = Int32(truncatingIfNeeded: index)
            }
        }
    }
}
