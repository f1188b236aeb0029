//! Folders on the host: copied, and compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What is below a folder, but for one in it: of each path what it is, and what it holds.
pub(crate) fn snapshot(root: &Path, without: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    look(root, without, &mut found);
    found
}

fn look(folder: &Path, without: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::symlink_metadata(&path).unwrap();
        let held = if about.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if about.is_dir() {
            "folder".to_owned()
        } else {
            format!("file {:?} of {:?}", fs::read(&path).unwrap(), about.modified().unwrap())
        };
        let rights = format!("{held}, {:?}", about.permissions());
        if path != without {
            if about.is_dir() {
                look(&path, without, found);
            }
            found.insert(path, rights);
        }
    }
}
