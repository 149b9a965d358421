import CNghttp3
import CNgtcp2

/// Why this side closes a connection, as the peer is told.
enum QUICFailure {
    /// An error code of RFC 9000, 20.1.
    case transport(UInt64)
    /// What ngtcp2 returned.
    case library(CInt)
    /// What nghttp3 returned.
    case http(CInt)
    /// An error code of RFC 9114, 8.1.
    case application(UInt64)
    /// RFC 9001, 4.8.
    case tlsAlert(UInt8)

    var isProtocolError: Bool {
        switch self {
        case .application(let code): code != UInt64(NGHTTP3_H3_NO_ERROR)
        case .transport, .library, .http, .tlsAlert: true
        }
    }

    var c: ngtcp2_connection_close_error {
        var reason = ngtcp2_connection_close_error()
        ngtcp2_connection_close_error_default(&reason)
        switch self {
        case .transport(let code):
            ngtcp2_connection_close_error_set_transport_error(&reason, code, nil, 0)
        case .library(let code):
            ngtcp2_connection_close_error_set_transport_error_liberr(&reason, code, nil, 0)
        case .http(let code):
            ngtcp2_connection_close_error_set_application_error(
                &reason,
                nghttp3_err_infer_quic_app_error_code(code),
                nil,
                0
            )
        case .application(let code):
            ngtcp2_connection_close_error_set_application_error(&reason, code, nil, 0)
        case .tlsAlert(let alert):
            ngtcp2_connection_close_error_set_transport_error_tls_alert(&reason, alert, nil, 0)
        }
        return reason
    }
}
