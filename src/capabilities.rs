//! Capabilities: the access of a guest to the world outside its sandbox.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedPath;
use crate::network::NetRule;

/// The capabilities granted to one instance. The default grants nothing: a guest can then only compute, and call the
/// [`HostImports`](crate::HostImports) that it is given. A guest uses these capabilities through WASI; modules use the network
/// through WASIX, and Extism plug-ins by HTTP requests. A guest that imports neither cannot use them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Directories, in the order in which the guest sees them.
    pub dirs: Vec<DirGrant>,
    /// Environment variables (name, value), in the order in which the guest sees them.
    pub env: Vec<(String, String)>,
    /// Network access. Everything that no rule allows is denied, so there is no network without rules.
    pub net: Vec<NetRule>,
    /// Arguments; by convention, the first is the program's name.
    pub args: Vec<String>,
    /// The source of standard input.
    pub stdin: Input,
    /// The destination of standard output.
    pub stdout: Output,
    /// The destination of standard error.
    pub stderr: Output,
    /// Makes the guest deterministic: clocks start at a fixed time and advance by a fixed step with each reading, and random
    /// bytes are generated from this seed.
    pub seed: Option<u64>,
}

impl Capabilities {
    /// Grants nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants a directory.
    #[must_use]
    pub fn with_dir(mut self, grant: DirGrant) -> Self {
        self.dirs.push(grant);
        self
    }

    /// Grants an environment variable.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Grants network access by a rule.
    #[must_use]
    pub fn with_net(mut self, rule: NetRule) -> Self {
        self.net.push(rule);
        self
    }

    /// Sets the arguments; the first is the program's name.
    #[must_use]
    pub fn with_args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the source of standard input.
    #[must_use]
    pub fn with_stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets the destination of standard output.
    #[must_use]
    pub fn with_stdout(mut self, stdout: Output) -> Self {
        self.stdout = stdout;
        self
    }

    /// Sets the destination of standard error.
    #[must_use]
    pub fn with_stderr(mut self, stderr: Output) -> Self {
        self.stderr = stderr;
        self
    }

    /// Makes clocks deterministic, and random bytes depend on `seed` only.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Checks everything that does not need a guest or an engine.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Grant`] if a directory does not exist or is not a directory, a guest path is invalid or used twice, a
    /// variable is invalid or granted twice, or an argument contains a NUL byte.
    pub fn check(&self) -> Result<()> {
        if self.dirs.is_empty() && self.env.is_empty() && self.args.is_empty() {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for grant in &self.dirs {
            grant.check()?;
            if !seen.insert(grant.guest_path()) {
                let message = format!("two directories are granted as `{}`", grant.guest);
                return Err(Error::new(ErrorKind::Grant, message).with_hint("use another guest path for one of them"));
            }
        }
        let mut names = BTreeSet::new();
        for (name, value) in &self.env {
            let refused =
                |why: &str| Err(Error::new(ErrorKind::Grant, format!("environment variable `{name}`: {why}")));
            match name {
                name if name.is_empty() => return refused("the name is empty"),
                name if name.contains('=') => return refused("the name contains `=`"),
                name if name.contains('\0') || value.contains('\0') => return refused("it contains a NUL byte"),
                name if !names.insert(name) => return refused("it is granted twice"),
                _ => {}
            }
        }
        match self.args.iter().find(|arg| arg.contains('\0')) {
            Some(arg) => Err(Error::new(ErrorKind::Grant, format!("the argument {arg:?} contains a NUL byte"))),
            None => Ok(()),
        }
    }
}

/// A directory that a guest may access, with everything below it. Links and `..` do not lead out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirGrant {
    /// The directory on the host.
    pub host: PathBuf,
    /// The path that the guest sees.
    pub guest: String,
    /// Whether the guest may change it.
    pub access: Access,
}

/// Access to a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write.
    #[default]
    ReadWrite,
}

impl DirGrant {
    /// Grants the directory `host` as `guest`, for reading and writing.
    pub fn new(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self { host: host.into(), guest: guest.into(), access: Access::ReadWrite }
    }

    /// Makes the grant read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// The guest path in a normal form, to find duplicates.
    fn guest_path(&self) -> PathBuf {
        Path::new(&self.guest).components().collect()
    }

    fn check(&self) -> Result<()> {
        let Self { host, guest, .. } = self;
        let refused = |why: String| {
            Err(Error::new(ErrorKind::Grant, format!("cannot grant the directory {}: {why}", EscapedPath(host))))
        };
        if guest.is_empty() || guest.contains('\0') {
            return refused(format!("invalid guest path `{}`", guest.escape_debug()));
        }
        match std::fs::metadata(host) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => refused("not a directory".to_owned()),
            Err(error) => refused(error.to_string()),
        }
    }
}

/// The source of standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// Nothing: reading returns end of file.
    #[default]
    Empty,
    /// The standard input of the process.
    Inherit,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// The destination of standard output or standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Nowhere: it is discarded.
    #[default]
    Discard,
    /// The same stream of the process. If standard output is a closed pipe, the guest's next write to it ends the guest like
    /// `proc_exit(0)`.
    Inherit,
    /// The standard error of the process, even for the guest's standard output.
    Stderr,
    /// Memory.
    Capture(Captured),
}

/// The maximum number of bytes that a [`Captured`] keeps by default: 64 MiB.
pub const MAX_CAPTURED_BYTES: usize = 64 << 20;

/// The captured output of a guest. Clones share the same bytes. Only the first bytes are kept, [`MAX_CAPTURED_BYTES`] by
/// default. The guest can write more; the rest is counted and discarded.
#[derive(Clone, derive_more::Debug, Default)]
#[debug("Captured")]
pub struct Captured {
    shared: Arc<Mutex<Capture>>,
}

struct Capture {
    bytes: Vec<u8>,
    max_bytes: usize,
    written: u64,
    is_claimed: bool,
}

impl Default for Capture {
    fn default() -> Self {
        Self { bytes: Vec::new(), max_bytes: MAX_CAPTURED_BYTES, written: 0, is_claimed: false }
    }
}

impl Captured {
    /// Creates an empty capture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty capture that keeps at most `max_bytes` bytes.
    #[must_use]
    pub fn with_max_bytes(max_bytes: usize) -> Self {
        Self { shared: Arc::new(Mutex::new(Capture { max_bytes, ..Capture::default() })) }
    }

    /// Returns the bytes kept so far.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.capture().bytes.clone()
    }

    /// Returns the bytes kept so far, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.capture().bytes)
    }

    /// Returns the number of bytes written so far, kept or not.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.capture().written
    }

    /// Reserves the capture for one instance.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Grant`] if another instance already uses it.
    pub(crate) fn claim(&self) -> Result<()> {
        if std::mem::replace(&mut self.capture().is_claimed, true) {
            return Err(Error::new(ErrorKind::Grant, "this capture is already used by another instance"));
        }
        Ok(())
    }

    /// Counts these bytes, and keeps those that fit.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let mut capture = self.capture();
        let room = capture.max_bytes.saturating_sub(capture.bytes.len()).min(bytes.len());
        capture.bytes.extend_from_slice(&bytes[..room]);
        capture.written += bytes.len() as u64;
    }

    fn capture(&self) -> MutexGuard<'_, Capture> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Captured {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Captured {}
