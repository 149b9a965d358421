import NIOCore

/// When which connection of an event loop is to look at the time again: the one that is due first, first.
///
/// A heap in which each connection knows its place. A connection's deadline moves with every packet: that
/// costs a few comparisons, where a scheduled task of NIO costs allocations, locks and, when it is left
/// standing for a time that has become too early, a wake-up of the thread for nothing.
///
/// Bound: one entry a connection.
/// Threads: the event loop of the connections.
struct QUICTimers {
    private var heap: [(deadline: NIODeadline, connection: QUICConnection)] = []

    var first: NIODeadline? { heap.first?.deadline }

    /// In the distant future: never.
    mutating func set(_ connection: QUICConnection, _ deadline: NIODeadline) {
        guard deadline < .distantFuture else {
            remove(connection)
            return
        }
        let place = connection.timerPlace ?? heap.count
        if place == heap.count {
            heap.append((deadline, connection))
            connection.timerPlace = place
        } else {
            heap[place].deadline = deadline
        }
        settle(place)
    }

    mutating func remove(_ connection: QUICConnection) {
        guard let place = connection.timerPlace else { return }
        connection.timerPlace = nil
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        last.connection.timerPlace = place
        settle(place)
    }

    /// - Returns: Those who are due, and in the heap no more.
    mutating func takeAll(until now: NIODeadline) -> [QUICConnection] {
        var due: [QUICConnection] = []
        while let first = heap.first, first.deadline <= now {
            due.append(first.connection)
            remove(first.connection)
        }
        return due
    }

    /// Moves the entry at `place` up or down to where it belongs.
    private mutating func settle(_ place: Int) {
        var place = place
        while place > 0, heap[place].deadline < heap[(place - 1) / 2].deadline {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
        while true {
            let children = (2 * place + 1..<2 * place + 3).clamped(to: 0..<heap.count)
            guard let least = children.min(by: { heap[$0].deadline < heap[$1].deadline }),
                heap[least].deadline < heap[place].deadline
            else { return }
            swap(place, least)
            place = least
        }
    }

    private mutating func swap(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        heap[one].connection.timerPlace = one
        heap[other].connection.timerPlace = other
    }
}
