//! Where the process begins on Linux with the GNU C library. The standard library's own beginning makes ready to tell of a stack
//! that overflows, which reads the map of the process's memory, a twentieth of a short run; the engines watch over the guests'
//! stacks by themselves. Of what else it does, only the first thread's name is missing here.
#![expect(unsafe_code, reason = "the C library calls this, and is called")]

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The process, called by the C library.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _args: *const *const c_char) -> c_int {
    keep_standard_streams();
    // A reader that has gone, and a file that may not grow, are errors of the write.
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        // SAFETY: no handler is installed, and no other thread runs yet.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let main = || crate::cli::start::main(std::env::args_os());
    let code = catch_unwind(AssertUnwindSafe(main)).unwrap_or(crate::cli::exit_status::INTERNAL);
    // This writes out what standard output still holds.
    std::process::exit(code.into())
}

/// Opens the standard streams that are closed, to nothing: else the next file would be one of them, and be written to.
fn keep_standard_streams() {
    for stream in 0..=2 {
        // SAFETY: it is asked about a number, and nothing is changed.
        let is_open = unsafe { libc::fcntl(stream, libc::F_GETFD) } >= 0;
        // SAFETY: the path is a C string. A file is opened under the lowest number that is free, which is this one.
        if !is_open && unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } != stream {
            std::process::abort();
        }
    }
}
