/// The program association table: which programs there are, and on which PIDs their maps come.
///
/// Source: ISO/IEC 13818-1, 2.4.4.3.
struct ProgramAssociation: Equatable {
    struct Program: Equatable {
        let number: Int
        let mapPID: UInt16
    }

    /// In the order of the table; the network's entry (number 0) is left out.
    let programs: [Program]

    /// - Parameter sections: All sections of one version, in order.
    init(sections: [Section]) {
        programs = sections.flatMap { section in
            stride(from: 0, to: section.body.count - 3, by: 4).compactMap { offset in
                let number = Int(section.body[offset]) << 8 | Int(section.body[offset + 1])
                let pid =
                    UInt16(section.body[offset + 2] & 0x1F) << 8
                    | UInt16(section.body[offset + 3])
                return number == 0 ? nil : Program(number: number, mapPID: pid)
            }
        }
    }
}
