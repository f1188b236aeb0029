//! The guest paths of the granted directories.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::dir::GrantedDir;
use crate::capabilities::DirGrant;
use crate::error::{Error, ErrorKind, Result};

/// The granted directories with their normalized guest paths.
#[derive(Debug)]
pub(super) struct Mounts(Vec<(PathBuf, GrantedDir)>);

/// The meaning of a guest path.
#[derive(Debug)]
pub(super) enum Node<'n> {
    /// This path in a granted directory, whether or not it exists there.
    Granted(&'n GrantedDir, &'n Path),
    /// A directory above mount points.
    Ancestor,
}

impl Mounts {
    /// Opens the granted directories.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] if a directory cannot be opened, a guest path has a `..`, or two guest paths are the same.
    pub(super) fn new(dirs: &[DirGrant]) -> Result<Self> {
        let mut mounts: Vec<(PathBuf, GrantedDir)> = Vec::new();
        for grant in dirs {
            let guest = Path::new(&grant.guest);
            if guest.components().any(|part| part == Component::ParentDir) {
                let message = format!(
                    "cannot grant the directory {}: invalid guest path `{}`",
                    grant.host.display(),
                    grant.guest
                );
                return Err(Error::new(ErrorKind::Grant, message).with_hint("use a path without `..` for WASIX"));
            }
            let at = normalize(guest);
            if mounts.iter().any(|(other, _)| *other == at) {
                let message = format!("two directories are granted as `/{}`", at.display());
                return Err(Error::new(ErrorKind::Grant, message)
                    .with_hint("WASIX resolves all guest paths from the root, with or without a leading `/`"));
            }
            mounts.push((at, GrantedDir::open(grant)?));
        }
        Ok(Self(mounts))
    }

    /// Returns the innermost granted directory that contains a normalized path, and the rest of the path.
    pub(super) fn granted<'n>(&'n self, path: &'n Path) -> Option<(&'n GrantedDir, &'n Path)> {
        let containing = self.0.iter().filter_map(|(at, dir)| Some((dir, path.strip_prefix(at).ok()?)));
        containing.min_by_key(|(_, rest)| rest.components().count())
    }

    /// Returns the meaning of a normalized path. A path above a mount point is always a directory, even if the host has
    /// something else there.
    pub(super) fn node<'n>(&'n self, path: &'n Path) -> Option<Node<'n>> {
        let is_ancestor = self.0.iter().any(|(at, _)| at != path && at.starts_with(path));
        match self.granted(path) {
            Some((dir, rest)) if !is_ancestor || rest.as_os_str().is_empty() || dir.has_dir(rest) => {
                Some(Node::Granted(dir, rest))
            }
            _ if is_ancestor || path.as_os_str().is_empty() => Some(Node::Ancestor),
            _ => None,
        }
    }

    /// Returns whether a normalized path is the root, a mount point or above one: it cannot be created, renamed or removed.
    pub(super) fn is_fixed(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || self.0.iter().any(|(at, _)| at.starts_with(path))
    }

    /// Returns the fixed names directly below a normalized path.
    pub(super) fn fixed_names(&self, path: &Path) -> BTreeSet<OsString> {
        let rests = self.0.iter().filter_map(|(at, _)| at.strip_prefix(path).ok());
        rests.filter_map(|rest| rest.components().next()).map(|name| name.as_os_str().to_owned()).collect()
    }
}

/// Normalizes a guest path as text: relative to the root, without `.`, `..` and trailing slashes.
pub(super) fn normalize(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => normalized.push(name),
            Component::ParentDir => {
                normalized.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    normalized
}
