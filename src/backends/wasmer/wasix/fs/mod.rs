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
mod mounts;
mod open_file;
mod open_paths;
mod path_calls;
mod pretend;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub(super) use granted_fs::file_system;
pub(super) use path_calls::corrected;
