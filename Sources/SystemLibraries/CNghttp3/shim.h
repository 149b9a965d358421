#pragma once

#include <nghttp3/nghttp3.h>

// What nghttp3 offers as macros over functions with a version, which Swift cannot see.

static inline void mirror_http3_settings_default(nghttp3_settings *settings) {
    nghttp3_settings_default(settings);
}

static inline int mirror_http3_server_new(
    nghttp3_conn **connection, const nghttp3_callbacks *callbacks, const nghttp3_settings *settings,
    void *user_data) {
    return nghttp3_conn_server_new(connection, callbacks, settings, NULL, user_data);
}
