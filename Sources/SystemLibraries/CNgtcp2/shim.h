#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#if NGTCP2_VERSION_NUM >= 0x010000
#error "ngtcp2 1.x renamed what is called here: give both names in this file"
#endif

// What ngtcp2 offers as macros over functions with a version, which Swift cannot see.

static inline void mirror_quic_settings_default(ngtcp2_settings *settings) {
    ngtcp2_settings_default(settings);
}

static inline void mirror_quic_transport_params_default(ngtcp2_transport_params *parameters) {
    ngtcp2_transport_params_default(parameters);
}

static inline int mirror_quic_server_new(
    ngtcp2_conn **connection, const ngtcp2_cid *peer_id, const ngtcp2_cid *own_id,
    const ngtcp2_path *path, uint32_t version, const ngtcp2_callbacks *callbacks,
    const ngtcp2_settings *settings, const ngtcp2_transport_params *parameters, void *user_data) {
    return ngtcp2_conn_server_new(
        connection, peer_id, own_id, path, version, callbacks, settings, parameters, NULL, user_data);
}

static inline int mirror_quic_read(
    ngtcp2_conn *connection, const ngtcp2_path *path, const ngtcp2_pkt_info *info,
    const uint8_t *datagram, size_t count, ngtcp2_tstamp now) {
    return ngtcp2_conn_read_pkt(connection, path, info, datagram, count, now);
}

static inline ngtcp2_ssize mirror_quic_write(
    ngtcp2_conn *connection, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *datagram,
    size_t capacity, ngtcp2_ssize *taken, uint32_t flags, int64_t stream, const ngtcp2_vec *data,
    size_t count, ngtcp2_tstamp now) {
    return ngtcp2_conn_writev_stream(
        connection, path, info, datagram, capacity, taken, flags, stream, data, count, now);
}

static inline ngtcp2_ssize mirror_quic_write_close(
    ngtcp2_conn *connection, ngtcp2_path *path, ngtcp2_pkt_info *info, uint8_t *datagram,
    size_t capacity, const ngtcp2_connection_close_error *reason, ngtcp2_tstamp now) {
    return ngtcp2_conn_write_connection_close(
        connection, path, info, datagram, capacity, reason, now);
}

static inline ngtcp2_duration mirror_quic_smoothed_round_trip(ngtcp2_conn *connection) {
    ngtcp2_conn_stat statistics;
    ngtcp2_conn_get_conn_stat(connection, &statistics);
    return statistics.smoothed_rtt;
}

static inline uint64_t mirror_quic_bytes_in_flight(ngtcp2_conn *connection) {
    ngtcp2_conn_stat statistics;
    ngtcp2_conn_get_conn_stat(connection, &statistics);
    return statistics.bytes_in_flight;
}

/// In bytes a nanosecond: what ngtcp2_conn_update_pkt_tx_time counts with.
static inline double mirror_quic_pacing_rate(ngtcp2_conn *connection) {
    ngtcp2_conn_stat statistics;
    ngtcp2_conn_get_conn_stat(connection, &statistics);
    if (statistics.pacing_rate > 0) return statistics.pacing_rate;
    if (statistics.smoothed_rtt == 0) return 0;
    return 1.25 * (double)statistics.cwnd / (double)statistics.smoothed_rtt;
}

static inline size_t mirror_quic_probe_timeouts(ngtcp2_conn *connection) {
    ngtcp2_conn_stat statistics;
    ngtcp2_conn_get_conn_stat(connection, &statistics);
    return statistics.pto_count;
}

/// Declared as in ngtcp2_crypto_gnutls.h, which would bring the whole of GnuTLS into this module.
struct gnutls_session_int;
int ngtcp2_crypto_gnutls_configure_server_session(struct gnutls_session_int *session);
