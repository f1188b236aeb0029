//! An open connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::network::SocketClaim;

/// A connection, which reads and writes while it is polled, and closes when it is dropped. It ends after one request; after its
/// end it stays ready.
pub(crate) struct Connection {
    work: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    #[cfg_attr(not(feature = "components"), expect(dead_code, reason = "no body outlives the connection"))]
    socket: Arc<SocketClaim>,
}

impl Connection {
    /// Creates a connection from the future that does its work.
    pub(super) fn new(work: impl Future<Output = hyper::Result<()>> + Send + 'static, socket: SocketClaim) -> Self {
        Self { work: Some(Box::pin(work)), socket: Arc::new(socket) }
    }

    /// Returns the claim for its socket. The socket counts until all copies of the claim are dropped.
    #[cfg(feature = "components")]
    pub(crate) fn socket(&self) -> Arc<SocketClaim> {
        Arc::clone(&self.socket)
    }
}

impl Future for Connection {
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(Ok(())) };
        let ended = ready!(work.as_mut().poll(context));
        self.work = None;
        Poll::Ready(ended)
    }
}

/// Returns the output of `work`, while the connection on which it depends reads and writes.
pub(crate) async fn drive<T>(connection: &mut Connection, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        // An error of the connection is also one of the request or of the response's body.
        let _ = Pin::new(&mut *connection).poll(context);
        work.as_mut().poll(context)
    })
    .await
}
