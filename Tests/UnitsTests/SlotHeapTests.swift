import Testing
import Units

@Suite("Slot heap")
struct SlotHeapTests {
    @Test("whatever is put in, moved and taken out, the first is the one with the lowest key", arguments: 1...20)
    func order(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var heap = SlotHeap()
        var model: [Int: SlotHeap.Key] = [:]
        for _ in 0..<2000 {
            let slot = Int.random(in: 0..<40, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                heap.remove(slot)
                model[slot] = nil
            } else {
                let key = SlotHeap.Key(.random(in: 0..<20, using: &random), .random(in: 0..<3, using: &random))
                heap.set(slot, key)
                model[slot] = key
            }
            #expect(heap.count == model.count)
            #expect(heap.contains(slot) == (model[slot] != nil))
            #expect(heap.first?.key == model.values.min())
            if let first = heap.first { #expect(model[first.slot] == first.key) }
        }
        var last = SlotHeap.Key(0)
        while let first = heap.first {
            #expect(last <= first.key)
            last = first.key
            heap.remove(first.slot)
        }
        #expect(heap.isEmpty)
    }
}
