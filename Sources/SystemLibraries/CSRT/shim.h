#pragma once

#include <srt/access_control.h>
#include <srt/srt.h>
#include <sys/prctl.h>

/// The first 15 bytes of the name; `prctl` takes a variable number of arguments, which Swift cannot call.
static inline void mirror_name_this_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
