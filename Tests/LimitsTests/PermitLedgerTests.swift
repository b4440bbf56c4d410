import Testing
import Units

@testable import Limits

/// Who goes first when several batches want a permit.
@Suite("Permit ledger")
struct PermitLedgerTests {
    private final class Holder: Sendable {}

    /// A ledger with names for its seats.
    private struct Book {
        var ledger: PermitLedger
        var seats: [String: Int] = [:]
        var grants: [PermitLedger.Grant] = []

        init(_ capacity: Int, _ order: PermitLedger.Order) {
            ledger = PermitLedger(capacity: capacity, order: order)
        }

        mutating func enter(_ name: String, of caller: String, target: Int) {
            ledger.beginBatch()
            seats[name] = ledger.enter(Holder(), of: caller, target: target)
            ledger.grantNext(to: &grants)
        }

        /// A lookup ends, and its slice wants `target` permits.
        mutating func end(_ name: String, target: Int) {
            let seat = seats[name]!
            if ledger.keep(seat, target: target) { return ledger.grantNext(to: &grants) }
            ledger.release(1, of: seat, target: target)
            ledger.grantNext(to: &grants)
        }

        mutating func setTarget(_ target: Int, of name: String) {
            ledger.setTarget(target, of: seats[name]!)
            ledger.grantNext(to: &grants)
        }

        mutating func leave(_ name: String) {
            ledger.leave(seats.removeValue(forKey: name)!)
            ledger.grantNext(to: &grants)
        }

        func held(_ names: String...) -> [Int] { names.map { ledger.held(seats[$0]!) } }
    }

    @Test("alone, a caller has all permits")
    func alone() {
        var book = Book(8, .fairness)
        book.enter("heavy", of: "heavy", target: 20)
        #expect(book.held("heavy") == [8])
        #expect(book.ledger.isWaitedFor)
    }

    @Test("what a heavy caller gives back goes to one that has less, until both have the same")
    func yields() {
        var book = Book(8, .fairness)
        book.enter("heavy", of: "heavy", target: 20)
        book.enter("small", of: "small", target: 20)
        #expect(book.held("heavy", "small") == [8, 0])
        for number in 1...4 {
            book.end("heavy", target: 20)
            #expect(book.held("heavy", "small") == [8 - number, number])
        }
        for _ in 0..<20 {
            book.end("heavy", target: 20)
            book.end("small", target: 20)
            #expect(book.held("heavy", "small") == [4, 4])
        }
    }

    @Test("a caller that wants little gets all it wants, and the rest is shared by the others")
    func maxMin() {
        var book = Book(10, .fairness)
        book.enter("b", of: "b", target: 100)
        book.enter("a", of: "a", target: 2)
        book.enter("c", of: "c", target: 100)
        for _ in 0..<20 { book.end("b", target: 100) }
        #expect(book.held("a", "b", "c") == [2, 4, 4])
    }

    @Test("two batches of one caller count as one caller, the first of them first")
    func batchesOfOne() {
        var book = Book(9, .fairness)
        book.enter("a1", of: "a", target: 100)
        book.enter("a2", of: "a", target: 100)
        book.enter("b", of: "b", target: 100)
        for _ in 0..<20 { book.end("a1", target: 100) }
        #expect((4...5).contains(book.held("a1")[0]), "\(book.held("a1", "a2", "b"))")
        #expect(book.held("a2") == [0])
        #expect(book.held("b")[0] >= 4)
    }

    @Test("with fewer permits than callers each has its turn, the one that has gone without for longest first")
    func turns() {
        var book = Book(1, .fairness)
        let names = ["a", "b", "c"]
        for name in names { book.enter(name, of: name, target: 100) }
        var turns: [String] = []
        for _ in 0..<9 {
            let holder = names.first { book.held($0) == [1] }!
            turns.append(holder)
            book.end(holder, target: 100)
        }
        #expect(turns == ["a", "b", "c", "a", "b", "c", "a", "b", "c"])
    }

    @Test("who no longer wants a permit holds nobody up", arguments: [PermitLedger.Order.arrival, .fairness])
    func deregistered(order: PermitLedger.Order) {
        var book = Book(2, order)
        book.enter("first", of: "first", target: 1)
        book.enter("heavy", of: "heavy", target: 2)
        book.enter("gone", of: "gone", target: 5)
        book.enter("quiet", of: "quiet", target: 5)
        book.enter("last", of: "last", target: 1)
        book.leave("gone")
        book.setTarget(0, of: "quiet")
        book.setTarget(1, of: "heavy")
        #expect(book.held("first", "heavy", "quiet", "last") == [1, 1, 0, 0])
        book.leave("first")
        #expect(book.held("heavy", "quiet", "last") == [1, 0, 1])
    }

    @Test("in the order of arrival, a later batch gets nothing until the earlier one has what it wants")
    func arrival() {
        var book = Book(4, .arrival)
        book.enter("first", of: "a", target: 6)
        book.enter("second", of: "b", target: 6)
        #expect(book.held("first", "second") == [4, 0])
        book.end("first", target: 6)
        #expect(book.held("first", "second") == [4, 0], "it wants more itself")
        book.end("first", target: 3)
        #expect(book.held("first", "second") == [3, 1])
        // It has something to write back: it is the first again.
        book.setTarget(4, of: "first")
        book.end("second", target: 6)
        #expect(book.held("first", "second") == [4, 0])
    }

    @Test("parts of one batch keep their permits, whichever of them waits")
    func partsOfOneBatch() {
        var ledger = PermitLedger(capacity: 2, order: .arrival)
        ledger.beginBatch()
        let parts = (0..<2).map { _ in ledger.enter(Holder(), of: "a", target: 2) }
        var grants: [PermitLedger.Grant] = []
        ledger.grantNext(to: &grants)
        #expect(parts.map { ledger.held($0) } == [2, 0])
        let keepsFirst = ledger.keep(parts[0], target: 2)
        #expect(keepsFirst)
        ledger.release(1, of: parts[0], target: 1)
        ledger.grantNext(to: &grants)
        #expect(parts.map { ledger.held($0) } == [1, 1])
        ledger.setTarget(2, of: parts[0])
        let keepsSecond = ledger.keep(parts[1], target: 2)
        #expect(keepsSecond, "the permit stays on its lane")
    }

    @Test("a capacity that shrinks takes permits back as they end, and one that grows hands more out")
    func capacity() {
        var book = Book(4, .arrival)
        book.enter("a", of: "a", target: 10)
        book.ledger.capacity = 2
        for left in [3, 2, 2, 2] {
            book.end("a", target: 10)
            #expect(book.held("a") == [left])
        }
        book.ledger.capacity = 5
        book.end("a", target: 10)
        #expect(book.held("a") == [5])
    }

    @Test(
        "of a thousand callers that came and went, nothing is left",
        arguments: [PermitLedger.Order.arrival, .fairness]
    )
    func cameAndWent(order: PermitLedger.Order) {
        var book = Book(2, order)
        for number in 0..<1000 {
            book.enter("it", of: "caller \(number)", target: 1)
            #expect(book.held("it") == [1])
            book.leave("it")
        }
        #expect(book.ledger.out == 0)
        #expect(!book.ledger.isWaitedFor)
        #expect(book.ledger.seatCount == 1)
    }

    // MARK: Properties

    /// What the ledger should know, found by looking through all seats.
    private struct Model {
        struct Seat {
            var number: Int
            var batch: Int
            var caller: String
            var target: Int
        }

        var seats: [ObjectIdentifier: Seat] = [:]

        func waiting(_ ledger: PermitLedger) -> [Seat] {
            seats.values.filter { ledger.held($0.number) < $0.target }
        }

        func held(by caller: String, _ ledger: PermitLedger) -> Int {
            seats.values.filter { $0.caller == caller }.reduce(0) { $0 + ledger.held($1.number) }
        }
    }

    @Test(
        "over random courses no permit is lost, none is free while somebody waits, and each goes to who is next",
        arguments: [PermitLedger.Order.arrival, .fairness],
        1...8
    )
    func properties(order: PermitLedger.Order, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var ledger = PermitLedger(capacity: .random(in: 1...12, using: &random), order: order)
        var model = Model()
        var holders: [ObjectIdentifier: Holder] = [:]
        var batch = 0
        for _ in 0..<3000 {
            var before = ledger
            let chosen = model.seats.keys.sorted().randomElement(using: &random)
            let target = Int.random(in: 0...6, using: &random)
            switch (Int.random(in: 0..<10, using: &random), chosen) {
            case (0, _) where model.seats.count < 30, (_, nil):
                batch += 1
                ledger.beginBatch()
                let caller = "caller \(Int.random(in: 0..<5, using: &random))"
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let holder = Holder()
                    holders[ObjectIdentifier(holder)] = holder
                    let number = ledger.enter(holder, of: caller, target: target)
                    model.seats[ObjectIdentifier(holder)] = .init(
                        number: number,
                        batch: batch,
                        caller: caller,
                        target: target
                    )
                }
            case (1, let chosen?):
                ledger.leave(model.seats[chosen]!.number)
                model.seats[chosen] = nil
                holders[chosen] = nil
            case (2, let chosen?):
                model.seats[chosen]!.target = target
                ledger.setTarget(target, of: model.seats[chosen]!.number)
            case (3, _):
                ledger.capacity = .random(in: 1...12, using: &random)
            case (_, let chosen?):
                let seat = model.seats[chosen]!.number
                guard ledger.held(seat) > 0 else { continue }
                model.seats[chosen]!.target = target
                if ledger.keep(seat, target: target) {
                    #expect(ledger.held(seat) == before.held(seat))
                    #expect(ledger.out <= ledger.capacity)
                    // Given back, it would have come to the same batch.
                    before.release(1, of: seat, target: target)
                    var grants: [PermitLedger.Grant] = []
                    before.grantNext(to: &grants)
                    let mate = model.seats[ObjectIdentifier(grants[0].holder)]!
                    #expect(mate.batch == model.seats[chosen]!.batch)
                } else {
                    ledger.release(1, of: seat, target: target)
                }
            }
            // One grant after the other, each judged by how things stood before it.
            before = ledger
            var grants: [PermitLedger.Grant] = []
            ledger.grantNext(to: &grants)
            let firstWaiting = model.waiting(before)
            if let grant = grants.first, let seat = model.seats[ObjectIdentifier(grant.holder)] {
                switch order {
                case .arrival: #expect(seat.batch == firstWaiting.map(\.batch).min())
                case .fairness:
                    let least = firstWaiting.map { model.held(by: $0.caller, before) }.min()
                    #expect(model.held(by: seat.caller, before) == least)
                    let ofCaller = firstWaiting.filter { $0.caller == seat.caller }
                    #expect(seat.batch == ofCaller.map(\.batch).min())
                }
            }
            for grant in grants { #expect(model.seats[ObjectIdentifier(grant.holder)] != nil, "granted to who left") }
            let held = model.seats.values.reduce(0) { $0 + ledger.held($1.number) }
            #expect(held == ledger.out)
            let isWaitedFor = !model.waiting(ledger).isEmpty
            #expect(ledger.isWaitedFor == isWaitedFor)
            #expect(!isWaitedFor || ledger.out >= ledger.capacity)
        }
        for seat in model.seats.values { ledger.leave(seat.number) }
        #expect(ledger.out == 0)
        #expect(!ledger.isWaitedFor)
    }
}
