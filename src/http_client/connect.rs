//! Connections to servers that the network rules of a guest allow.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::connection::Connection;
use super::error::HttpError;
use super::tls;
use crate::network::{Firewall, LookupError, Protocol, look_up};

/// The size of the buffer of a connection in bytes. hyper exceeds it up to twice if much arrives at once.
const MAX_BUFFER_BYTES: usize = super::exchange::MAX_HEAD_BYTES;

/// The time for one of several addresses of a server. The last one has no limit except the guest's.
const TIME_PER_ADDRESS: Duration = Duration::from_secs(5);

/// A TCP stream, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to the server of an `http` or `https` URL. Uses no proxy. Returns what sends one request, and the connection, which
/// must be polled meanwhile: see [`send`](super::send).
///
/// # Errors
/// [`HttpError::Denied`] if no rule allows to look up the name of the server, or to connect to any of its addresses.
pub(crate) async fn open<B>(firewall: &Arc<Firewall>, url: &Url) -> Result<(SendRequest<B>, Connection), HttpError>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let server = || url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(HttpError::InvalidHost(server()));
    };
    let socket = firewall.claim_socket().ok_or(HttpError::TooMany)?;
    let stream = connect(firewall, &host, port).await?;
    let stream: Box<dyn Stream> = if url.scheme() == "https" {
        let stream = tls::handshake(stream, &host, tls::config()).await;
        Box::new(stream.map_err(|error| HttpError::Tls(server(), error))?)
    } else {
        Box::new(stream)
    };
    let (sender, work) = http1::Builder::new().max_buf_size(MAX_BUFFER_BYTES).handshake(TokioIo::new(stream)).await?;
    Ok((sender, Connection::new(work, socket)))
}

/// Connects to an address of a host that the rules allow. The address that was checked is the one that is used, so the host cannot
/// get another one in between.
async fn connect(firewall: &Arc<Firewall>, host: &Host<&str>, port: u16) -> Result<TcpStream, HttpError> {
    let server = || format!("{host}:{port}");
    let addresses: Vec<IpAddr> = match *host {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        Host::Domain(name) => look_up(Arc::clone(firewall), name.to_owned()).await.map_err(|error| match error {
            LookupError::Denied => HttpError::Denied(server()),
            LookupError::Invalid => HttpError::InvalidHost(name.to_owned()),
            LookupError::NotFound => HttpError::NotFound(name.to_owned()),
            LookupError::TooMany => HttpError::TooMany,
        })?,
    };
    let mut allowed = addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .filter(|address| firewall.allows_destination(Protocol::Tcp, *address))
        .peekable();
    let mut failed = None;
    while let Some(address) = allowed.next() {
        let connecting = TcpStream::connect(address);
        let connected = if allowed.peek().is_some() {
            tokio::time::timeout(TIME_PER_ADDRESS, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        } else {
            connecting.await
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = Some(error),
        }
    }
    Err(match failed {
        Some(error) => HttpError::Connection(server(), error),
        None => HttpError::Denied(server()),
    })
}
