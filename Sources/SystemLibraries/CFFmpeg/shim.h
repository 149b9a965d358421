#pragma once

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

// What FFmpeg offers as macros, which Swift cannot see.

static const int mirror_error_again = AVERROR(EAGAIN);
static const int mirror_error_end = AVERROR_EOF;
static const int mirror_error_invalid_data = AVERROR_INVALIDDATA;
static const int64_t mirror_no_timestamp = AV_NOPTS_VALUE;

/// FFmpeg and its libraries write nothing to standard error: what went wrong is in what they return.
static inline void mirror_silence_log(void) { av_log_set_level(AV_LOG_QUIET); }

/// The first 15 bytes of the name; `prctl` takes a variable number of arguments, which Swift cannot call.
static inline void mirror_name_this_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

/// This thread, and those it starts, take what the threads that media goes through leave over.
static inline void mirror_give_way(void) { setpriority(PRIO_PROCESS, 0, 10); }
