//! Redirects.

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use url::Url;

use super::request::{self, Request};
use crate::escape::Escaped;
use crate::runtime::host::HostError;

/// The headers that are not sent to another server than the one they are meant for.
const PRIVATE: [header::HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

impl Request {
    /// Changes the request to the one that a response redirects to. Returns whether it redirects.
    pub(super) fn redirect(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<bool, HostError> {
        let Some(location) = headers.get(header::LOCATION).filter(|_| matches!(status.as_u16(), 301..=303 | 307 | 308))
        else {
            return Ok(false);
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let url = self.url.join(&location).map_err(|error| {
            format!(
                "`{}` redirects to `{}`, which is not valid: {error}",
                Escaped(self.url.as_str()),
                Escaped(&location)
            )
        })?;
        request::check(&url)?;
        if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
            self.forget_body();
        }
        if origin(&url) != origin(&self.url) {
            for name in &PRIVATE {
                self.headers.remove(name);
            }
        }
        self.url = url;
        Ok(true)
    }

    /// Makes the request one without a body.
    fn forget_body(&mut self) {
        if self.method != Method::HEAD {
            self.method = Method::GET;
        }
        self.body.clear();
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
            self.headers.remove(name);
        }
    }
}

/// Returns the part of a URL that names the server.
fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;

    fn redirected(from: &str, status: u16, location: &str) -> Result<Request, String> {
        let json = format!(
            r#"{{"url": "{from}", "method": "PUT", "headers": {{"Authorization": "a", "Content-Type": "c"}}}}"#
        );
        let mut request = Request::parse(json.as_bytes()).unwrap();
        request.body = Bytes::from_static(b"body");
        let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(location).unwrap())]);
        let status = StatusCode::from_u16(status).unwrap();
        let redirects = request.redirect(status, &headers).map_err(|error| error.to_string())?;
        assert!(redirects, "{status}");
        Ok(request)
    }

    #[test]
    fn the_status_decides_about_method_and_body() {
        for (status, method, body) in [
            (301, Method::GET, ""),
            (302, Method::GET, ""),
            (303, Method::GET, ""),
            (307, Method::PUT, "body"),
            (308, Method::PUT, "body"),
        ] {
            let request = redirected("http://a/b/c", status, "../d?e").unwrap();
            assert_eq!(
                (request.url.as_str(), &request.method, &request.body[..]),
                ("http://a/d?e", &method, body.as_bytes())
            );
            assert_eq!(request.headers.contains_key("content-type"), !body.is_empty());
        }
    }

    #[test]
    fn credentials_stay_with_their_server() {
        for (location, kept) in
            [("/x", true), ("http://a:80/x", true), ("//b/x", false), ("https://a/x", false), ("http://a:81/", false)]
        {
            let request = redirected("http://a/", 302, location).unwrap();
            assert_eq!(request.headers.contains_key("authorization"), kept, "{location}");
        }
    }

    #[test]
    fn other_schemes_and_credentials_are_refused() {
        for (location, part) in [
            ("file:///etc/passwd", "only http and https"),
            ("http://user:secret@a/", "`authorization`"),
            ("http://[", "not valid"),
        ] {
            let error = redirected("http://a/", 302, location).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{location}: {error}");
        }
    }

    #[test]
    fn other_responses_do_not_redirect() {
        let mut request = Request::parse(br#"{"url": "http://a/"}"#).unwrap();
        let location = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static("/b"))]);
        for status in [200, 201, 300, 304, 404] {
            assert!(!request.redirect(StatusCode::from_u16(status).unwrap(), &location).unwrap());
        }
        assert!(!request.redirect(StatusCode::FOUND, &HeaderMap::new()).unwrap());
    }
}
