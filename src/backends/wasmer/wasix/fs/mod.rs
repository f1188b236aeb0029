//! The file system of a WASIX guest: the granted directories at their guest paths, and nothing else.
//!
//! It enforces the grants and ignores the rights that WASIX assumes. It normalizes a path as text, selects the grant, and
//! resolves the rest of the path inside that directory with cap-std, so neither `..` nor a symbolic link leads out of a grant.

mod convert;
mod dir;
#[cfg(test)]
mod escape_tests;
mod file_system;
mod granted_fs;
mod guest_path;
mod listings;
mod mounts;
mod open_file;
mod open_paths;
mod path_calls;
mod pretend;
mod sync;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod times;

pub(super) use convert::{exact_errno, forget_errno, keep_errno};
pub(super) use granted_fs::file_system;
pub(super) use listings::read_dir;
pub(super) use path_calls::corrected;
pub(super) use sync::corrected as corrected_sync;
pub(super) use times::corrected as corrected_times;
