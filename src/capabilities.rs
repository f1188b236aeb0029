//! What a guest may do to the world outside it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorKind, Result};
use crate::network::NetRule;

/// What one instance is granted. The default grants nothing: a guest computes, and reaches the outside only through
/// the [`HostImports`](crate::HostImports) it is handed. What is granted here, a guest reaches by WASI, and the network by
/// WASIX; one that does not import it reaches none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Folders, in the order the guest finds them.
    pub dirs: Vec<DirGrant>,
    /// Environment variables, name and value, in the order the guest finds them.
    pub env: Vec<(String, String)>,
    /// What it may do on the network: what no rule allows is refused, so that without rules there is no network.
    pub net: Vec<NetRule>,
    /// Arguments; the first is the program's name by custom.
    pub args: Vec<String>,
    /// What standard input reads.
    pub stdin: Input,
    /// Where standard output goes.
    pub stdout: Output,
    /// Where standard error goes.
    pub stderr: Output,
    /// With a seed: clocks start at a fixed time and advance by a fixed step each time they are read, and random bytes
    /// follow from the seed.
    pub seed: Option<u64>,
}

impl Capabilities {
    /// Nothing granted.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with a folder.
    #[must_use]
    pub fn with_dir(mut self, grant: DirGrant) -> Self {
        self.dirs.push(grant);
        self
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same with something it may do on the network.
    #[must_use]
    pub fn with_net(mut self, rule: NetRule) -> Self {
        self.net.push(rule);
        self
    }

    /// The same with these arguments, the program's name first.
    #[must_use]
    pub fn with_args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// The same with standard input.
    #[must_use]
    pub fn with_stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// The same with standard output.
    #[must_use]
    pub fn with_stdout(mut self, stdout: Output) -> Self {
        self.stdout = stdout;
        self
    }

    /// The same with standard error.
    #[must_use]
    pub fn with_stderr(mut self, stderr: Output) -> Self {
        self.stderr = stderr;
        self
    }

    /// The same with fixed clocks, and random bytes that follow from `seed`.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Checks all that can be told without a guest and an engine.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] where a folder is not there or is none, a guest path stands for two folders or is none, or a
    /// variable or argument cannot be one.
    pub fn check(&self) -> Result<()> {
        if self.dirs.is_empty() && self.env.is_empty() && self.args.is_empty() {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for grant in &self.dirs {
            grant.check()?;
            if !seen.insert(grant.guest_path()) {
                let message = format!("two folders are granted as `{}`", grant.guest);
                return Err(Error::new(ErrorKind::Grant, message).with_hint("give one of them another guest path"));
            }
        }
        let mut names = BTreeSet::new();
        for (name, value) in &self.env {
            let refused = |why: &str| Err(Error::new(ErrorKind::Grant, format!("the variable `{name}` {why}")));
            match name {
                name if name.is_empty() => return refused("has no name"),
                name if name.contains('=') => return refused("has `=` in its name"),
                name if name.contains('\0') || value.contains('\0') => return refused("has a NUL in it"),
                name if !names.insert(name) => return refused("is granted twice"),
                _ => {}
            }
        }
        match self.args.iter().find(|arg| arg.contains('\0')) {
            Some(arg) => Err(Error::new(ErrorKind::Grant, format!("the argument {arg:?} has a NUL in it"))),
            None => Ok(()),
        }
    }
}

/// A folder a guest may reach, with everything below it, and nothing by way of it that is not below it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirGrant {
    /// The folder.
    pub host: PathBuf,
    /// The path by which the guest finds it.
    pub guest: String,
    /// What the guest may do to it.
    pub access: Access,
}

/// What a guest may do to a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Look.
    ReadOnly,
    /// Look and change.
    #[default]
    ReadWrite,
}

impl DirGrant {
    /// A folder that the guest finds as `guest`, and may change.
    pub fn new(host: impl Into<PathBuf>, guest: impl Into<String>) -> Self {
        Self { host: host.into(), guest: guest.into(), access: Access::ReadWrite }
    }

    /// The same, which the guest may only look at.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// The guest path with what does not tell it from another taken away.
    fn guest_path(&self) -> PathBuf {
        Path::new(&self.guest).components().collect()
    }

    fn check(&self) -> Result<()> {
        let Self { host, guest, .. } = self;
        let refused = |why: String| Err(Error::new(ErrorKind::Grant, format!("the folder {}: {why}", host.display())));
        if guest.is_empty() || guest.contains('\0') {
            return refused(format!("`{}` is no guest path", guest.escape_debug()));
        }
        match std::fs::metadata(host) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => refused("is no folder".to_owned()),
            Err(error) => refused(error.to_string()),
        }
    }
}

/// What a standard input reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// Nothing: it is at its end.
    #[default]
    Empty,
    /// The process's own.
    Inherit,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Where a standard output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Nowhere.
    #[default]
    Discard,
    /// To the process's own. A guest whose standard output nobody reads any more (a closed pipe) ends with its next write to
    /// it, as if by `proc_exit(0)`.
    Inherit,
    /// Into memory.
    Capture(Captured),
}

/// The most bytes that are captured of one output; a guest that writes more is told that nobody reads any more.
pub const MOST_CAPTURED: usize = 64 << 20;

type Reader = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// What a guest wrote, of which at most [`MOST_CAPTURED`] bytes are kept. Clones are of the same bytes.
#[derive(Clone, Default)]
pub struct Captured {
    reader: Arc<OnceLock<Reader>>,
}

impl Captured {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written so far.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.reader.get().map(|read| read()).unwrap_or_default()
    }

    /// Tells where it is read; an instance that writes to what another writes to already is refused.
    pub(crate) fn read_from(&self, read: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Result<()> {
        let set = self.reader.set(Box::new(read));
        set.map_err(|_| Error::new(ErrorKind::Grant, "what another instance writes to cannot be captured into again"))
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captured")
    }
}

impl PartialEq for Captured {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reader, &other.reader)
    }
}

impl Eq for Captured {}
