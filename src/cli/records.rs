//! The streams of a batch: records on standard input, results on standard output.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use wrun::batch::Stop;

/// Ends a read of [`Records`].
#[derive(Debug)]
pub(crate) struct Waker(UnixStream);

/// Standard input of the process. A read also ends when it is woken, or when the reader of standard output goes away, so that
/// `tail -f | wrun batch | head -1` ends.
#[derive(Debug)]
pub(crate) struct Records {
    wakeups: UnixStream,
    output_is_closed: AtomicBool,
}

impl Records {
    /// Creates the records and their waker.
    ///
    /// # Errors
    /// If the system provides no sockets.
    pub(crate) fn new() -> io::Result<(Self, Waker)> {
        let (waker, wakeups) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        Ok((Self { wakeups, output_is_closed: AtomicBool::new(false) }, Waker(waker)))
    }

    /// Returns whether reading ended because standard output has no reader.
    pub(crate) fn output_is_closed(&self) -> bool {
        self.output_is_closed.load(Ordering::SeqCst)
    }

    /// Returns a reader, which stops the batch if standard output has no reader.
    pub(crate) fn reader<'a>(&'a self, stop: &'a Stop) -> RecordReader<'a> {
        RecordReader { records: self, stop }
    }
}

impl Waker {
    /// Ends the read that waits, and all later ones.
    pub(crate) fn wake(&self) {
        // If the socket is full, the reader is awake.
        let _ = (&self.0).write(&[0]);
    }
}

/// Reads [`Records`].
#[derive(Debug)]
pub(crate) struct RecordReader<'a> {
    records: &'a Records,
    stop: &'a Stop,
}

impl Read for RecordReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { records, stop } = self;
        let (stdin, stdout) = (io::stdin(), io::stdout());
        loop {
            let mut streams = [
                PollFd::new(&stdin, PollFlags::IN),
                PollFd::new(&records.wakeups, PollFlags::IN),
                // Errors only.
                PollFd::new(&stdout, PollFlags::empty()),
            ];
            match poll(&mut streams, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if !streams[1].revents().is_empty() {
                return Ok(0);
            }
            if streams[2].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
                records.output_is_closed.store(true, Ordering::SeqCst);
                stop.request();
                return Ok(0);
            }
            match rustix::io::read(&stdin, &mut *buffer) {
                // Another process that shares the stream took the input first.
                Err(Errno::AGAIN | Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }
}
