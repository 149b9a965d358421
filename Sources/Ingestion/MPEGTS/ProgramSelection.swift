/// Reads the program tables and selects the program to carry.
///
/// Choice: the first program with video in the order of the association table; without any, the
///         first with audio; else the first. It is made when all maps are known, or when one came
///         for the second time, because by then the others had their turn. A choice is kept until
///         its program is gone, or has no video while another has.
/// Bound:  the maps of the first 64 programs.
struct ProgramSelection {
    private static let programLimit = 64

    /// The map of the selected program.
    private(set) var current: ProgramMap?
    /// Counts the changes: whoever saw this number has seen `current` and `mapPIDs`.
    private(set) var revision = 0
    /// How many programs the association table lists.
    private(set) var programCount = 0
    /// Tables that contradict themselves.
    private(set) var errors: UInt64 = 0

    private var programs: [ProgramAssociation.Program] = []
    private var maps: [Int: ProgramMap] = [:]
    private var hasRepeated = false
    /// The sections of a new association table, until it is whole.
    private var associationSections: [Section] = []

    /// The PIDs that carry program maps, each once.
    var mapPIDs: [UInt16] {
        var seen: Set<UInt16> = []
        return programs.map(\.mapPID).filter { seen.insert($0).inserted }
    }

    mutating func receive(_ section: Section, pid: UInt16) {
        guard section.isCurrent else { return }
        switch section.table {
        case .programAssociation where pid == 0: receiveAssociation(section)
        case .programMap: receiveMap(section, pid: pid)
        case .programAssociation: errors &+= 1
        case .conditionalAccess: break
        }
    }

    private mutating func receiveAssociation(_ section: Section) {
        if section.number == 0 || section.version != associationSections.last?.version {
            associationSections.removeAll()
        }
        guard Int(section.number) == associationSections.count else { return }
        associationSections.append(section)
        guard section.number >= section.lastNumber else { return }
        let association = ProgramAssociation(sections: associationSections)
        associationSections.removeAll()
        programCount = association.programs.count
        let programs = Array(association.programs.prefix(Self.programLimit))
        guard programs != self.programs else { return }
        self.programs = programs
        revision += 1
        maps = maps.filter { number, _ in programs.contains { $0.number == number } }
        hasRepeated = false
        select()
    }

    private mutating func receiveMap(_ section: Section, pid: UInt16) {
        let number = Int(section.identifier)
        // Maps of several programs may share a PID; a map on another program's PID is not ours.
        guard programs.contains(where: { $0.number == number && $0.mapPID == pid }) else { return }
        guard let map = ProgramMap(section) else {
            errors &+= 1
            return
        }
        if maps[number] != nil { hasRepeated = true }
        maps[number] = map
        select()
    }

    private mutating func select() {
        let known = programs.compactMap { maps[$0.number] }
        if let current, let map = maps[current.programNumber],
            map.hasVideo || !known.contains(where: \.hasVideo)
        {
            choose(map)
            return
        }
        guard known.count == programs.count || hasRepeated else { return }
        let choice = known.first(where: \.hasVideo) ?? known.first(where: \.hasAudio) ?? known.first
        if let choice { choose(choice) }
    }

    private mutating func choose(_ map: ProgramMap) {
        guard map != current else { return }
        current = map
        revision += 1
    }
}
