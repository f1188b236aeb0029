//! A request as a plug-in describes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use http_body_util::Full;
use serde::Deserialize;
use url::{Position, Url};

use crate::escape::Escaped;
use crate::extism::function::MAX_READ;
use crate::runtime::host::HostError;

/// Headers that wrun sets, or that concern the connection. A plug-in could use them to hide a second request in the first, or to
/// reach another site of the same server.
const FORBIDDEN: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    HeaderName::from_static("keep-alive"),
];

/// The JSON of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    method: Option<String>,
}

/// A valid request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Parses the JSON of a request without a body.
    pub(super) fn parse(json: &[u8]) -> Result<Self, HostError> {
        if json.len() > MAX_READ {
            let length = json.len();
            return Err(format!("the request has {length} bytes, but at most {MAX_READ} are allowed").into());
        }
        let Description { url, headers, method } =
            serde_json::from_slice(json).map_err(|error| format!("the request is not valid: {error}"))?;
        let method = method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = match Method::from_bytes(method.as_bytes()) {
            Ok(valid) if valid != Method::CONNECT => valid,
            _ => return Err(format!("the method `{}` is not allowed", Escaped(&method)).into()),
        };
        let url = Url::parse(&url).map_err(|error| format!("the URL `{}` is not valid: {error}", Escaped(&url)))?;
        check(&url)?;
        let mut fields = HeaderMap::new();
        fields.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        fields.insert(header::USER_AGENT, HeaderValue::from_static(concat!("wrun/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in headers {
            let invalid = || format!("the header `{}` is not valid", Escaped(&name));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
            if FORBIDDEN.contains(&name) {
                return Err(format!("the header `{name}` is not allowed").into());
            }
            fields.insert(name, HeaderValue::from_str(&value).map_err(|_| invalid())?);
        }
        // The length of the body is known.
        fields.remove(header::CONTENT_LENGTH);
        Ok(Self { method, url, headers: fields, body: Bytes::new() })
    }

    /// Returns the request for the server of its URL.
    pub(super) fn to_http(&self) -> Result<http::Request<Full<Bytes>>, HostError> {
        let path: Uri = self.url[Position::BeforePath..Position::AfterQuery].parse()?;
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path;
        *request.headers_mut() = self.headers.clone();
        let server = &self.url[Position::BeforeHost..Position::AfterPort];
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(server)?);
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

/// Checks a URL that a plug-in or a server chose.
pub(super) fn check(url: &Url) -> Result<(), HostError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the URL `{}` is not allowed: only http and https are", Escaped(url.as_str())).into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name or password is not allowed: use the header `authorization`".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Result<Request, String> {
        Request::parse(json.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_is_sent_as_it_is_described() {
        let request = parsed(
            r#"{"url": "HTTP://Example.ORG:80/a b?c=d#e", "method": "post", "headers": {"X-Key": "v", "Content-Length": "9"}}"#,
        );
        let sent = request.unwrap().to_http().unwrap();
        assert_eq!((sent.method(), sent.uri().to_string()), (&Method::POST, "/a%20b?c=d".to_owned()));
        let header = |name: &str| sent.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((header("host"), header("x-key"), header("content-length")), (Some("example.org"), Some("v"), None));
        assert_eq!((header("accept"), header("connection")), (Some("*/*"), Some("close")));
    }

    #[test]
    fn what_could_become_another_request_is_refused() {
        for (json, part) in [
            (r#"{"url": "http://h/", "method": "GET / HTTP/1.1\r\nx: y"}"#, "the method"),
            (r#"{"url": "http://h/", "method": "connect"}"#, "the method `CONNECT` is not allowed"),
            (r#"{"url": "http://h/", "headers": {"a\r\nb": "c"}}"#, "the header `a\\u{d}\\u{a}b` is not valid"),
            (r#"{"url": "http://h/", "headers": {"a": "b\r\nc: d"}}"#, "the header `a` is not valid"),
            (r#"{"url": "http://h/", "headers": {"a": "b\nc"}}"#, "the header `a` is not valid"),
            (r#"{"url": "http://h/", "headers": {"Host": "other"}}"#, "the header `host` is not allowed"),
            (r#"{"url": "http://h/", "headers": {"Transfer-Encoding": "chunked"}}"#, "`transfer-encoding`"),
            (r#"{"url": "http://h/", "headers": {"Connection": "upgrade"}}"#, "`connection`"),
            (r#"{"url": "http://user:secret@h/"}"#, "use the header `authorization`"),
            (r#"{"url": "http://user@h/"}"#, "use the header `authorization`"),
            (r#"{"url": "file:///etc/passwd"}"#, "only http and https"),
            (r#"{"url": "data:text/plain,a"}"#, "only http and https"),
            (r#"{"url": "/relative"}"#, "the URL `/relative` is not valid"),
            (r#"{"url": "http://"}"#, "is not valid"),
            (r#"{"url": "http://h/", "body": "b"}"#, "unknown field `body`"),
            ("[]", "the request is not valid"),
        ] {
            let error = parsed(json).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{json}: {error}");
        }
        let denied = parsed(&format!(r#"{{"url": "ftp://h/{}"}}"#, "x".repeat(10_000))).unwrap_err();
        assert!(denied.contains("only http and https") && denied.len() < 2000, "{denied}");
        let long = format!(r#"{{"url": "http://h/{}"}}"#, "x".repeat(MAX_READ));
        assert!(parsed(&long).unwrap_err().contains("at most 65536"));
    }

    #[test]
    fn line_breaks_in_a_url_do_not_reach_the_server() {
        let sent = parsed(r#"{"url": "http://h/a\r\nx: y"}"#).unwrap().to_http().unwrap();
        assert_eq!(sent.uri().to_string(), "/ax:%20y");
    }
}
