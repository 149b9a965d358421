import CFFmpeg

/// One filter of libavfilter that gives a picture for each picture.
///
/// libavfilter brings some seventy libraries along, so it is loaded when the first filter is made.
/// Thread: the caller's.
package final class PictureFilter: PictureScaling {
    private let library: mirror_filters
    private let graph: UnsafeMutablePointer<AVFilterGraph>
    private let source: UnsafeMutablePointer<AVFilterContext>
    private let sink: UnsafeMutablePointer<AVFilterContext>

    /// A filter in the words of libavfilter, for pictures like `picture`.
    package init(_ description: String, for picture: PictureFrame) throws(FFmpegError) {
        var library = mirror_filters()
        guard mirror_load_filters(&library) else {
            throw .unsuitable("libavfilter, or a part of it, is not installed")
        }
        self.library = library
        let graph = try FFmpegError.unwrap(library.graph_alloc(), "avfilter_graph_alloc")
        do throws(FFmpegError) {
            (source, sink) = try Self.build(description, picture, in: graph, library)
        } catch {
            var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
            library.graph_free(&graph)
            throw error
        }
        self.graph = graph
    }

    deinit {
        var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
        library.graph_free(&graph)
    }

    private typealias Place = UnsafeMutablePointer<AVFilterContext>

    /// `source`, the filter, `sink`: one after the other.
    private static func build(
        _ description: String,
        _ picture: PictureFrame,
        in graph: UnsafeMutablePointer<AVFilterGraph>,
        _ library: mirror_filters
    ) throws(FFmpegError) -> (source: Place, sink: Place) {
        let source = library.graph_alloc_filter(graph, library.get_by_name("buffer"), "in")
        let place = try FFmpegError.unwrap(source, "buffer")
        var terms = library.parameters_alloc()
        let parameters = try FFmpegError.unwrap(terms, "av_buffersrc_parameters_alloc")
        picture.lend { frame in
            parameters.pointee.format = frame.pointee.format
            parameters.pointee.width = frame.pointee.width
            parameters.pointee.height = frame.pointee.height
            parameters.pointee.sample_aspect_ratio = frame.pointee.sample_aspect_ratio
            parameters.pointee.time_base = AVRational(num: 1, den: 90_000)
            // The filter takes a reference of its own.
            parameters.pointee.hw_frames_ctx = frame.pointee.hw_frames_ctx
        }
        let result = library.parameters_set(place, parameters)
        av_free(terms)
        terms = nil
        try FFmpegError.check(result, "av_buffersrc_parameters_set")
        try FFmpegError.check(library.init_str(place, nil), "buffer")

        let name = description.prefix { $0 != "=" }
        let filter = library.get_by_name(String(name))
        guard filter != nil else { throw .unsuitable("FFmpeg has no filter \(name)") }
        let middle = try FFmpegError.unwrap(
            library.graph_alloc_filter(graph, filter, "filter"),
            String(name)
        )
        let options = description.dropFirst(name.count + 1)
        try FFmpegError.check(library.init_str(middle, String(options)), description)
        let sink = try FFmpegError.unwrap(
            library.graph_alloc_filter(graph, library.get_by_name("buffersink"), "out"),
            "buffersink"
        )
        try FFmpegError.check(library.init_str(sink, nil), "buffersink")
        try FFmpegError.check(library.link(place, 0, middle, 0), "avfilter_link")
        try FFmpegError.check(library.link(middle, 0, sink, 0), "avfilter_link")
        try FFmpegError.check(library.graph_config(graph, nil), description)
        return (place, sink)
    }

    package func scale(_ source: PictureFrame) throws(FFmpegError) -> PictureFrame {
        let (library, place, sink) = (library, self.source, sink)
        // Refers to the picture; its samples are not copied.
        let flags = Int32(AV_BUFFERSRC_FLAG_KEEP_REF)
        let taken = source.lend { library.add_frame(place, $0, flags) }
        try FFmpegError.check(taken, "av_buffersrc_add_frame_flags")
        let result = try PictureFrame()
        try FFmpegError.check(
            result.lend { library.get_frame(sink, $0) },
            "av_buffersink_get_frame"
        )
        return result
    }
}
