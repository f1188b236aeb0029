//! Errors of the HTTP client as those of `wasi:http`.

use std::error::Error as _;
use std::io;

use wasmtime_wasi_http::Error;

use crate::http_client::HttpError;

/// Converts the error of a request without a response.
pub(super) fn of_request(error: HttpError) -> Error {
    match error {
        HttpError::Denied(_) => Error::HttpRequestDenied,
        HttpError::InvalidHost(_) => Error::HttpRequestUriInvalid,
        HttpError::NotFound(_) => Error::DnsError { rcode: Some("address not available".to_owned()), info_code: None },
        HttpError::TooMany => Error::ConnectionLimitReached,
        HttpError::Connection(_, error) => of_connecting(&error),
        HttpError::Tls(_, error) => of_tls(&error),
        HttpError::HeadTooLarge(_) => Error::HttpResponseHeaderSectionSize(None),
        HttpError::Protocol(error) => of_exchange(error),
    }
}

fn of_connecting(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        _ => broken(error).unwrap_or(Error::DestinationUnavailable),
    }
}

fn of_tls(error: &io::Error) -> Error {
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some((*alert).into()), alert_message: Some(format!("{alert:?}")) }
        }
        Some(_) => Error::TlsProtocolError,
        None => broken(error).unwrap_or(Error::TlsProtocolError),
    }
}

/// Converts an error of the connection or of a body.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn of_exchange(error: hyper::Error) -> Error {
    let cause = error.source();
    // The guest's body.
    if let Some(error) = cause.and_then(|cause| cause.downcast_ref::<Error>()) {
        return match error {
            Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
            _ => Error::HttpProtocolError,
        };
    }
    // It ended before its length.
    if error.is_body_write_aborted() {
        return Error::HttpRequestBodySize(None);
    }
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(None);
    }
    if error.is_incomplete_message() {
        return Error::HttpResponseIncomplete;
    }
    match cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => Error::HttpResponseIncomplete,
        Some(error) => broken(error).unwrap_or(Error::HttpProtocolError),
        None => Error::HttpProtocolError,
    }
}

/// Returns the error for a connection that the other side closed.
fn broken(error: &io::Error) -> Option<Error> {
    let is_broken = matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    );
    is_broken.then_some(Error::ConnectionTerminated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_error() {
        let server = || "example.org:443".to_owned();
        let connecting = |kind: io::ErrorKind| of_request(HttpError::Connection(server(), kind.into()));
        assert!(matches!(of_request(HttpError::Denied(server())), Error::HttpRequestDenied));
        assert!(matches!(of_request(HttpError::InvalidHost(server())), Error::HttpRequestUriInvalid));
        assert!(matches!(of_request(HttpError::NotFound(server())), Error::DnsError { .. }));
        assert!(matches!(of_request(HttpError::TooMany), Error::ConnectionLimitReached));
        assert!(matches!(connecting(io::ErrorKind::ConnectionRefused), Error::ConnectionRefused));
        assert!(matches!(connecting(io::ErrorKind::TimedOut), Error::ConnectionTimeout));
        assert!(matches!(connecting(io::ErrorKind::NetworkUnreachable), Error::DestinationIpUnroutable));
        assert!(matches!(connecting(io::ErrorKind::ConnectionReset), Error::ConnectionTerminated));
        assert!(matches!(connecting(io::ErrorKind::PermissionDenied), Error::DestinationUnavailable));
        let tls = |error| of_request(HttpError::Tls(server(), io::Error::other(error)));
        let alert = tls(rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure));
        assert!(matches!(alert, Error::TlsAlertReceived { alert_id: Some(40), .. }), "{alert}");
        assert!(matches!(tls(rustls::Error::HandshakeNotComplete), Error::TlsProtocolError));
        let ended = of_request(HttpError::Tls(server(), io::ErrorKind::UnexpectedEof.into()));
        assert!(matches!(ended, Error::ConnectionTerminated), "{ended}");
    }
}
