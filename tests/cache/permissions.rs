//! The owner of the folder and its permissions.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

use wrun::{Cache, Capabilities, DirGrant, ErrorKind};

use crate::vocabulary::{Found, Home, get, number, on_each, set_mode, skipped};

/// Returns whether these tests can give files to other users.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_new_folder_is_private() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("a/b/code");
    let cache = Cache::open(&dir).unwrap();
    assert_eq!(cache.dir(), dir);
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(dir.parent().unwrap()).unwrap().mode() & 0o777, 0o700, "and those above it");
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(1));
        assert_eq!(fs::metadata(home.file()).unwrap().mode() & 0o777, 0o500);
    });
}

#[test]
fn a_folder_others_can_write_to_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for mode in [0o720, 0o702, 0o777, 0o1777, 0o770] {
        let dir = home.path().join(format!("mode{mode:o}"));
        fs::create_dir(&dir).unwrap();
        set_mode(&dir, mode);
        for refused in [Cache::open(&dir).map(Some), Cache::existing(&dir)] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnsupportedConfig);
            assert!(error.message().contains(&format!("its mode is {mode:o}")), "{error}");
        }
        set_mode(&dir, 0o755);
        Cache::open(&dir).unwrap();
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    if !is_root() {
        return skipped("only root can give a folder to another user");
    }
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("code");
    Cache::open(&dir).unwrap();
    chown(&dir, Some(12345), None).unwrap();
    let error = Cache::open(&dir).unwrap_err();
    assert!(error.message().contains("another user (number 12345"), "{error}");
    assert!(error.hints()[0].contains("its owner"), "{error}");
}

#[test]
fn a_file_is_refused_and_a_missing_folder_is_not_created() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [&file, &file.join("below")] {
        assert_eq!(Cache::open(path).unwrap_err().kind(), ErrorKind::UnsupportedConfig, "{}", path.display());
    }
    let missing = home.path().join("missing");
    assert!(Cache::existing(&missing).unwrap().is_none());
    assert!(!missing.exists());
    assert!(Cache::open("/proc/none/code").is_err());
}

#[test]
fn a_link_to_a_folder_works_like_the_folder() {
    let home = Home::new();
    let link = home.beside("link");
    symlink(home.cache.dir(), &link).unwrap();
    let linked = Cache::open(&link).unwrap();
    on_each(|config| {
        home.get(config, &number(4));
        assert_eq!(get(&linked, config, &number(4)), (4, Found::Hit));
    });
    set_mode(home.cache.dir(), 0o777);
    assert!(Cache::open(&link).is_err(), "and no better");
}

#[test]
fn an_entry_of_another_user_or_of_another_mode_is_not_used() {
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(9));
        // Modes of files that a guest with a grant of the folder creates under several umasks, and modes that others
        // can write to.
        for mode in [0o644, 0o600, 0o664, 0o666, 0o400, 0o500 | 0o022, 0o550, 0o4500, 0o700, 0o000] {
            set_mode(&home.file(), mode);
            assert_eq!(home.get(config, &number(9)), (9, Found::Miss), "{mode:o}");
            assert_eq!(home.get(config, &number(9)), (9, Found::Hit));
        }
        if is_root() {
            chown(home.file(), Some(12345), None).unwrap();
            assert_eq!(home.get(config, &number(9)), (9, Found::Miss));
            assert_eq!(home.get(config, &number(9)), (9, Found::Hit));
        } else {
            skipped("only root can give an entry to another user");
        }
    });
}

#[test]
fn a_missing_or_read_only_folder_is_not_an_error() {
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(2));
        if is_root() {
            skipped("root can write to a read-only folder");
        } else {
            set_mode(home.cache.dir(), 0o500);
            assert_eq!(home.get(config, &number(2)), (2, Found::Hit), "existing entries can be read");
            assert_eq!(home.get(config, &number(3)), (3, Found::Miss));
            set_mode(home.cache.dir(), 0o700);
            assert_eq!(home.files().len(), 1);
        }
        fs::remove_dir_all(home.cache.dir()).unwrap();
        for _ in 0..2 {
            assert_eq!(home.get(config, &number(2)), (2, Found::Miss));
        }
        assert!(!home.cache.dir().exists());
        assert!(home.cache.entries().is_err());
    });
}

#[test]
fn an_entry_has_its_final_mode_while_it_is_written() {
    on_each(|config| {
        let home = Home::new();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let modes = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut modes = std::collections::BTreeSet::new();
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    for file in fs::read_dir(home.cache.dir()).unwrap().flatten() {
                        let is_new = file.file_name().to_string_lossy().starts_with(".new-");
                        modes.extend(file.metadata().ok().filter(|_| is_new).map(|found| found.mode() & 0o7777));
                    }
                }
                modes
            });
            for n in 0..200 {
                home.get(config, &number(n));
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            watcher.join().unwrap()
        });
        // The file has its final mode at all times.
        assert!(modes.iter().all(|mode| *mode == 0o500), "{modes:?}");
    });
}

#[test]
fn root_cannot_grant_the_cache_to_a_guest() {
    let home = Home::new();
    let (below, beside) = (home.cache.dir().join("below"), home.beside("beside"));
    fs::create_dir(&below).unwrap();
    fs::create_dir(&beside).unwrap();
    let above = home.beside("");
    let link = home.beside("link");
    symlink(home.cache.dir(), &link).unwrap();
    let granted = |grant: DirGrant| {
        let mut capabilities = Capabilities::none();
        capabilities.dirs.push(grant);
        home.cache.check_grants(&capabilities)
    };
    let grant = |path: &std::path::Path| DirGrant::new(path, "/granted");
    for path in [home.cache.dir(), &below, &above, &link, std::path::Path::new("/")] {
        let checked = granted(grant(path));
        if is_root() {
            let error = checked.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Grant, "{}", path.display());
            assert!(error.hints()[0].contains("::ro"), "{error}");
        } else {
            checked.unwrap();
        }
        granted(grant(path).read_only()).unwrap();
    }
    granted(grant(&beside)).unwrap();
    granted(grant(&home.beside("missing"))).unwrap();
}
