//! Blocking access to streams of the process. Another process can make them non-blocking, because all processes that share a
//! stream share its `O_NONBLOCK` flag.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::hook;

/// A stream whose reads and writes wait, even if the stream is non-blocking. It has no buffer.
#[derive(Clone, Copy, Debug)]
pub struct Blocking<S>(pub S);

impl<S: AsFd> Blocking<S> {
    /// Writes all bytes, without the [hook](super::set_write_hook).
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_all_unhooked(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_once(bytes)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }

    fn write_once(&self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT, |stream| rustix::io::write(stream, bytes))
    }

    /// Runs an operation, and repeats it when the stream is ready if it would block.
    fn wait(&self, ready: PollFlags, mut operation: impl FnMut(&S) -> Result<usize, Errno>) -> io::Result<usize> {
        loop {
            match operation(&self.0) {
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
            match poll(&mut [PollFd::from_borrowed_fd(self.0.as_fd(), ready)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

// The other methods of `Read` and `Write` call these, so no byte is lost or written twice.
impl<S: AsFd> Read for Blocking<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN, |stream| rustix::io::read(stream, &mut *buffer))
    }
}

impl<S: AsFd> Write for Blocking<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hook::write(self.0.as_fd(), bytes, || self.write_once(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
