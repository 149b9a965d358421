package import Media
import Synchronization

/// The streams viewers can ask for, by name.
///
/// A stream that ended stays, with `SegmentStore.isEnded` set, until it is removed: its playlists
/// with EXT-X-ENDLIST and its last segments can still be fetched meanwhile. A store is finished
/// before it is removed, so that nobody waits on one that gets no more media.
/// Threads: any.
package final class StreamDirectory: Sendable {
    private let stores = Mutex<[StreamName: SegmentStore]>([:])

    package init() {}

    package subscript(name: StreamName) -> SegmentStore? {
        stores.withLock { $0[name] }
    }

    /// Takes the place of the store of the same name, if there is one.
    package func insert(_ store: SegmentStore) {
        stores.withLock { $0[store.name] = store }
    }

    /// Removes this very store; one that has taken its place stays.
    package func remove(_ store: SegmentStore) {
        stores.withLock { stores in
            if stores[store.name] === store { stores[store.name] = nil }
        }
    }

    /// Sorted by name.
    package var all: [SegmentStore] {
        stores.withLock { Array($0.values) }.sorted { $0.name < $1.name }
    }
}
