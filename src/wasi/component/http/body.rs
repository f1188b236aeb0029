//! The body of a response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::{Error, Result};

use super::{errors, fields};
use crate::http_client::Connection;
use crate::network::SocketClaim;
use crate::runtime::host::InterruptToken;
use crate::wasi::yielding::YieldCounter;

/// The body of a response. It yields, because the host can copy it elsewhere without running guest code.
pub(super) struct ResponseBody {
    incoming: Incoming,
    /// How long to wait for the next piece.
    between_bytes: Duration,
    /// Set while a piece is awaited.
    timer: Option<Pin<Box<Sleep>>>,
    turns: YieldCounter,
    instance: InterruptToken,
    socket: Arc<SocketClaim>,
}

/// A piece of a body. It keeps the connection's buffer, also after the connection has ended, so it counts as its socket.
struct Piece {
    bytes: Bytes,
    _socket: Arc<SocketClaim>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ResponseBody {
    pub(super) fn new(
        incoming: Incoming,
        connection: &Connection,
        between_bytes: Duration,
        instance: InterruptToken,
    ) -> Self {
        let turns = YieldCounter::default();
        Self { incoming, between_bytes, timer: None, turns, instance, socket: connection.socket() }
    }

    /// Returns a piece, or the trailers.
    fn frame(&self, frame: hyper::Result<Frame<Bytes>>) -> Result<Frame<Bytes>> {
        match frame.map_err(errors::of_exchange)?.into_trailers() {
            Ok(trailers) => {
                let counted = fields::counted(&trailers, &self.instance, Error::HttpResponseTrailerSectionSize)?;
                Ok(Frame::trailers(counted))
            }
            Err(frame) => {
                let piece = |bytes| Bytes::from_owner(Piece { bytes, _socket: Arc::clone(&self.socket) });
                Ok(frame.map_data(piece))
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let body = &mut *self;
        ready!(body.turns.poll_next(context));
        if let Poll::Ready(frame) = Pin::new(&mut body.incoming).poll_frame(context) {
            body.timer = None;
            return Poll::Ready(frame.map(|frame| body.frame(frame)));
        }
        let timer = body.timer.get_or_insert_with(|| Box::pin(sleep(body.between_bytes)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
