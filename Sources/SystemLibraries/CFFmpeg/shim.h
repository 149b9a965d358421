#pragma once

#include <dlfcn.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

// What FFmpeg offers as macros, which Swift cannot see.

static const int mirror_error_again = AVERROR(EAGAIN);
static const int mirror_error_end = AVERROR_EOF;
static const int mirror_error_invalid_data = AVERROR_INVALIDDATA;
static const int mirror_error_not_there = AVERROR_PATCHWELCOME;
static const int64_t mirror_no_timestamp = AV_NOPTS_VALUE;

/// FFmpeg and its libraries write nothing to standard error: what went wrong is in what they return.
static inline void mirror_silence_log(void) { av_log_set_level(AV_LOG_QUIET); }

/// The first 15 bytes of the name; `prctl` takes a variable number of arguments, which Swift cannot call.
static inline void mirror_name_this_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

/// This thread, and those it starts, take what the threads that media goes through leave over.
static inline void mirror_give_way(void) { setpriority(PRIO_PROCESS, 0, 10); }

/// libavfilter brings some seventy libraries along that only cards need, so it is loaded, not linked.
struct mirror_filters {
    __typeof__(&avfilter_get_by_name) get_by_name;
    __typeof__(&avfilter_graph_alloc) graph_alloc;
    __typeof__(&avfilter_graph_alloc_filter) graph_alloc_filter;
    __typeof__(&avfilter_graph_config) graph_config;
    __typeof__(&avfilter_graph_free) graph_free;
    __typeof__(&avfilter_init_str) init_str;
    __typeof__(&avfilter_link) link;
    __typeof__(&av_buffersrc_parameters_alloc) parameters_alloc;
    __typeof__(&av_buffersrc_parameters_set) parameters_set;
    __typeof__(&av_buffersrc_add_frame_flags) add_frame;
    __typeof__(&av_buffersink_get_frame) get_frame;
};

/// Whether all of it is there, in the version that this was built for. It is never unloaded.
static inline bool mirror_load_filters(struct mirror_filters *filters) {
    void *library = dlopen("libavfilter.so." AV_STRINGIFY(LIBAVFILTER_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    filters->get_by_name = (__typeof__(filters->get_by_name))dlsym(library, "avfilter_get_by_name");
    filters->graph_alloc = (__typeof__(filters->graph_alloc))dlsym(library, "avfilter_graph_alloc");
    filters->graph_alloc_filter = (__typeof__(filters->graph_alloc_filter))dlsym(library, "avfilter_graph_alloc_filter");
    filters->graph_config = (__typeof__(filters->graph_config))dlsym(library, "avfilter_graph_config");
    filters->graph_free = (__typeof__(filters->graph_free))dlsym(library, "avfilter_graph_free");
    filters->init_str = (__typeof__(filters->init_str))dlsym(library, "avfilter_init_str");
    filters->link = (__typeof__(filters->link))dlsym(library, "avfilter_link");
    filters->parameters_alloc = (__typeof__(filters->parameters_alloc))dlsym(library, "av_buffersrc_parameters_alloc");
    filters->parameters_set = (__typeof__(filters->parameters_set))dlsym(library, "av_buffersrc_parameters_set");
    filters->add_frame = (__typeof__(filters->add_frame))dlsym(library, "av_buffersrc_add_frame_flags");
    filters->get_frame = (__typeof__(filters->get_frame))dlsym(library, "av_buffersink_get_frame");
    return filters->get_by_name && filters->graph_alloc && filters->graph_alloc_filter && filters->graph_config
        && filters->graph_free && filters->init_str && filters->link && filters->parameters_alloc
        && filters->parameters_set && filters->add_frame && filters->get_frame;
}

// NVIDIA's driver, which is there or not: CUresult is an enum, and CUdevice an int.

/// How many cards the driver sees; -1 where there is no driver, or it does not start.
static inline int mirror_card_count(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!driver) return -1;
    int (*init)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
    int (*get_count)(int *) = (int (*)(int *))dlsym(driver, "cuDeviceGetCount");
    int count = 0;
    return init && get_count && init(0) == 0 && get_count(&count) == 0 ? count : -1;
}

/// Writes the name of a card, after `mirror_card_count`; 0: done.
static inline int mirror_card_name(int card, char *name, int size) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    int (*get_name)(char *, int, int) = driver ? (int (*)(char *, int, int))dlsym(driver, "cuDeviceGetName") : NULL;
    return get_name ? get_name(name, size, card) : -1;
}

// What takes arrays of planes, whose types differ from version to version of FFmpeg.

/// `in` may be null: what is held back is asked for. Returns how many samples were written to `out`.
static inline int mirror_convert_samples(struct SwrContext *context, AVFrame *out, AVFrame *in) {
    return swr_convert(context, out->extended_data, out->nb_samples, in ? (void *)in->extended_data : NULL,
                       in ? in->nb_samples : 0);
}

static inline int mirror_give_samples(AVAudioFifo *queue, AVFrame *frame) {
    return av_audio_fifo_write(queue, (void *)frame->extended_data, frame->nb_samples);
}

/// Fills the whole frame; there must be as much.
static inline int mirror_take_samples(AVAudioFifo *queue, AVFrame *frame) {
    return av_audio_fifo_read(queue, (void *)frame->extended_data, frame->nb_samples);
}
