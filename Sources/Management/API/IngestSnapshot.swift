package import Ingestion

/// What came in from the publisher, and how sound it was.
package struct IngestSnapshot: Codable, Sendable, Equatable {
    /// Counts of the demultiplexer.
    ///
    /// Source: ISO/IEC 13818-1; the errors are those of ETSI TR 101 290, 5.2.1 and 5.2.2.
    package struct TransportStream: Codable, Sendable, Equatable {
        package var packets: UInt64
        package var nullPackets: UInt64
        package var resynchronisedBytes: UInt64
        package var continuityErrors: UInt64
        package var transportErrors: UInt64
        package var scrambledPackets: UInt64
        package var sectionErrors: UInt64
        package var syncLosses: UInt64
        package var syncByteErrors: UInt64
        package var patErrors: UInt64
        package var pmtErrors: UInt64
        package var pidErrors: UInt64
        package var crcErrors: UInt64
        package var pcrRepetitionErrors: UInt64
        package var pcrDiscontinuityErrors: UInt64
        package var ptsErrors: UInt64
        package var catErrors: UInt64
        /// How unevenly the program's clock arrives, smoothed.
        package var pcrJitterMilliseconds: Double
        package var damagedPesPackets: UInt64
        package var accessUnits: UInt64
        package var misplacedAccessUnits: UInt64
        /// Timestamps that were moved to fit the timeline.
        package var correctedTimestamps: UInt64
        package var discontinuities: UInt64
        package var programs: Int
        package var selectedProgram: Int?

        init(_ statistics: TransportStreamStatistics) {
            packets = statistics.packets
            nullPackets = statistics.nullPackets
            resynchronisedBytes = statistics.resynchronisedBytes
            continuityErrors = statistics.continuityErrors
            transportErrors = statistics.transportErrors
            scrambledPackets = statistics.scrambledPackets
            sectionErrors = statistics.sectionErrors
            let errors = statistics.errors
            syncLosses = errors.syncLosses
            syncByteErrors = errors.syncByteErrors
            patErrors = errors.associationErrors
            pmtErrors = errors.mapErrors
            pidErrors = errors.absences
            crcErrors = errors.checksumErrors
            pcrRepetitionErrors = errors.clockRepetitionErrors
            pcrDiscontinuityErrors = errors.clockDiscontinuityErrors
            ptsErrors = errors.timestampErrors
            catErrors = errors.conditionalAccessErrors
            pcrJitterMilliseconds = (errors.clockJitterMicroseconds / 1_000).roundedForDisplay
            damagedPesPackets = statistics.damagedPESPackets
            accessUnits = statistics.accessUnits
            misplacedAccessUnits = statistics.misplacedAccessUnits
            correctedTimestamps = statistics.correctedTimestamps
            discontinuities = statistics.discontinuities
            programs = statistics.programs
            selectedProgram = statistics.selectedProgram
        }
    }

    /// Whose clock dates the media: EXT-X-PROGRAM-DATE-TIME.
    package enum Clock: String, Codable, Sendable {
        /// The source's, as its time tables tell it.
        case source
        /// This server's, when media arrives.
        case arrival
    }

    package var clock: Clock
    /// How much the source's clock runs fast against this server's, in millionths; left out until it is
    /// known, after a minute or two.
    package var clockDriftPartsPerMillion: Double?
    package var receivedBytes: UInt64
    package var bitrateBitsPerSecond: Int
    package var transportStream: TransportStream

    package init(_ statistics: IngestStatistics) {
        clock = statistics.transportStream.hasSourceClock ? .source : .arrival
        clockDriftPartsPerMillion = statistics.clockDriftPPM?.roundedForDisplay
        receivedBytes = statistics.receivedBytes
        bitrateBitsPerSecond = Int(wholeOf: statistics.bitrateBitsPerSecond)
        transportStream = TransportStream(statistics.transportStream)
    }
}
