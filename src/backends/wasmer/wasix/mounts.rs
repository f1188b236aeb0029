//! Where in a guest's paths the granted folders are.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::folder::Folder;
use crate::capabilities::DirGrant;
use crate::error::{Error, ErrorKind, Result};

/// The granted folders by their guest paths, each as [`plain`] makes it.
#[derive(Debug)]
pub(super) struct Mounts(Vec<(PathBuf, Folder)>);

/// What a guest's path stands for.
#[derive(Debug)]
pub(super) enum Node<'n> {
    /// What is at this path in a granted folder, if anything is.
    Granted(&'n Folder, &'n Path),
    /// A folder that is there because granted ones are below it.
    OnTheWay,
}

impl Mounts {
    /// Opens what is granted.
    pub(super) fn new(dirs: &[DirGrant]) -> Result<Self> {
        let mut mounts: Vec<(PathBuf, Folder)> = Vec::new();
        for grant in dirs {
            let guest = Path::new(&grant.guest);
            if guest.components().any(|part| part == Component::ParentDir) {
                let message = format!("the folder {}: `{}` is no guest path", grant.host.display(), grant.guest);
                return Err(Error::new(ErrorKind::Grant, message).with_hint("WASIX has one root: leave out the `..`"));
            }
            let at = plain(guest);
            if mounts.iter().any(|(other, _)| *other == at) {
                let message = format!("two folders are granted as `/{}`", at.display());
                return Err(Error::new(ErrorKind::Grant, message)
                    .with_hint("WASIX has one root, which a path without `/` begins at, too"));
            }
            mounts.push((at, Folder::open(grant)?));
        }
        Ok(Self(mounts))
    }

    /// The folder whose guest path is the longest that this plain one begins with, and the rest.
    pub(super) fn granted<'n>(&'n self, path: &'n Path) -> Option<(&'n Folder, &'n Path)> {
        let over = self.0.iter().filter_map(|(at, folder)| Some((folder, path.strip_prefix(at).ok()?)));
        over.min_by_key(|(_, rest)| rest.components().count())
    }

    /// What a plain path stands for. On the way to a grant there are always folders, whatever the host has there.
    pub(super) fn node<'n>(&'n self, path: &'n Path) -> Option<Node<'n>> {
        let leads_on = self.0.iter().any(|(at, _)| at != path && at.starts_with(path));
        match self.granted(path) {
            Some((folder, rest)) if !leads_on || rest.as_os_str().is_empty() || folder.has_folder(rest) => {
                Some(Node::Granted(folder, rest))
            }
            _ if leads_on || path.as_os_str().is_empty() => Some(Node::OnTheWay),
            _ => None,
        }
    }

    /// Whether a plain path is the root's, a grant's or on the way to one: that name stays.
    pub(super) fn fixed(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || self.0.iter().any(|(at, _)| at.starts_with(path))
    }

    /// The names just below a plain path that are fixed.
    pub(super) fn below(&self, path: &Path) -> BTreeSet<OsString> {
        let rests = self.0.iter().filter_map(|(at, _)| at.strip_prefix(path).ok());
        rests.filter_map(|rest| rest.components().next()).map(|name| name.as_os_str().to_owned()).collect()
    }
}

/// A guest's path from the root, by its text alone: without the root, and with no `.` and `..` in it.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                plain.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    plain
}
