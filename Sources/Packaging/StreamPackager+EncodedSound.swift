package import Media

extension StreamPackager {
    /// Offers each track of sound in these formats too; to be called before the first tracks come.
    package mutating func offer(soundFormats names: [String]) {
        encodedSounds.formats = names
    }

    /// The sound of each rendition that has come since the last call and is to be encoded again.
    package mutating func takeSound() -> [(source: Rendition.ID, events: [SoundEvent])] {
        guard !encodedSounds.formats.isEmpty else { return [] }
        return audio.indices.compactMap { index in
            let events = audio[index].tap.take()
            return events.isEmpty ? nil : (audio[index].writer.id, events)
        }
    }

    /// Takes what came of the sound, of one rendition.
    package mutating func consume(_ event: SoundEvent, of id: Rendition.ID) -> [PackagerOutput] {
        guard let source = encodedSounds.source(of: id),
            let track = audio.first(where: { $0.writer.id == source })?.writer.track
        else { return [] }
        var outputs: [PackagerOutput] = []
        let leader = hasPicture ? video?.writer.partTarget : nil
        let aim = MediaTime(mpegTicks: limits.part)
        encodedSounds.consume(
            event,
            of: id,
            madeOf: track,
            fixingPartTarget: { $0.fixPartTarget(leader: leader, aim: aim) },
            into: &outputs
        )
        if case .begin = event, isAnnounced { offer(into: &outputs) }
        return outputs
    }
}
