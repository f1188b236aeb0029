//! Ownership and permissions of the folder and its entries.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

use wrun::{Cache, Capabilities, DirGrant, ErrorKind};

use crate::vocabulary::{Found, TempCache, get, number, on_each, set_mode, skipped};

/// Whether these tests can give files to other users.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_new_folder_is_private() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("a/b/code");
    let cache = Cache::open(&dir).unwrap();
    assert_eq!(cache.dir(), dir);
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(dir.parent().unwrap()).unwrap().mode() & 0o777, 0o700, "parents too");
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(1));
        assert_eq!(fs::metadata(temp.file()).unwrap().mode() & 0o777, 0o500);
    });
}

#[test]
fn a_folder_writable_by_others_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    for mode in [0o720, 0o702, 0o777, 0o1777, 0o770] {
        let dir = temp.path().join(format!("mode{mode:o}"));
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
    let temp = tempfile::tempdir().unwrap();
    let (dir, owner) = if is_root() {
        chown(temp.path(), Some(12345), None).unwrap();
        (temp.path(), 12345)
    } else {
        (std::path::Path::new("/"), 0)
    };
    let error = Cache::open(dir).unwrap_err();
    assert!(error.message().contains(&format!("another user (uid {owner}")), "{error}");
    assert!(error.hints()[0].contains("only its owner"), "{error}");
}

#[test]
fn a_file_is_refused_and_existing_creates_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [&file, &file.join("below")] {
        assert_eq!(Cache::open(path).unwrap_err().kind(), ErrorKind::UnsupportedConfig, "{}", path.display());
    }
    let missing = temp.path().join("missing");
    assert!(Cache::existing(&missing).unwrap().is_none());
    assert!(!missing.exists());
    assert!(Cache::open("/proc/none/code").is_err());
}

#[test]
fn a_link_is_checked_like_its_target() {
    let temp = TempCache::new();
    let link = temp.beside("link");
    symlink(temp.cache.dir(), &link).unwrap();
    let linked = Cache::open(&link).unwrap();
    on_each(|config| {
        temp.get(config, &number(4));
        assert_eq!(get(&linked, config, &number(4)), (4, Found::Hit));
    });
    set_mode(temp.cache.dir(), 0o777);
    assert!(Cache::open(&link).is_err(), "the target is writable by others");
}

#[test]
fn an_entry_of_another_user_or_of_another_mode_is_not_used() {
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(9));
        // Modes of files that a guest creates under different umasks, and modes that let others write.
        for mode in [0o644, 0o600, 0o664, 0o666, 0o400, 0o500 | 0o022, 0o550, 0o4500, 0o700, 0o000] {
            set_mode(&temp.file(), mode);
            assert_eq!(temp.get(config, &number(9)), (9, Found::Miss), "{mode:o}");
            assert_eq!(temp.get(config, &number(9)), (9, Found::Hit));
        }
        if is_root() {
            chown(temp.file(), Some(12345), None).unwrap();
            assert_eq!(temp.get(config, &number(9)), (9, Found::Miss));
            assert_eq!(temp.get(config, &number(9)), (9, Found::Hit));
        } else {
            skipped("only root can give an entry to another user");
        }
    });
}

#[test]
fn a_missing_or_read_only_folder_does_not_fail_a_call() {
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(2));
        if is_root() {
            skipped("root can write to a read-only folder");
        } else {
            set_mode(temp.cache.dir(), 0o500);
            assert_eq!(temp.get(config, &number(2)), (2, Found::Hit), "existing entries can be read");
            assert_eq!(temp.get(config, &number(3)), (3, Found::Miss));
            set_mode(temp.cache.dir(), 0o700);
            assert_eq!(temp.files().len(), 1);
        }
        fs::remove_dir_all(temp.cache.dir()).unwrap();
        for _ in 0..2 {
            assert_eq!(temp.get(config, &number(2)), (2, Found::Miss));
        }
        assert!(!temp.cache.dir().exists());
        assert!(temp.cache.entries().is_err());
    });
}

#[test]
fn temporary_files_have_the_mode_of_entries() {
    on_each(|config| {
        let temp = TempCache::new();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let modes = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut modes = std::collections::BTreeSet::new();
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    for file in fs::read_dir(temp.cache.dir()).unwrap().flatten() {
                        let is_new = file.file_name().to_string_lossy().starts_with(".new-");
                        modes.extend(file.metadata().ok().filter(|_| is_new).map(|found| found.mode() & 0o7777));
                    }
                }
                modes
            });
            for n in 0..200 {
                temp.get(config, &number(n));
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            watcher.join().unwrap()
        });
        // Under a umask that keeps these bits, there is no other mode at any time.
        assert!(modes.iter().all(|mode| *mode == 0o500), "{modes:?}");
    });
}

#[test]
fn root_cannot_grant_the_cache_to_a_guest() {
    let temp = TempCache::new();
    let (below, beside) = (temp.cache.dir().join("below"), temp.beside("beside"));
    fs::create_dir(&below).unwrap();
    fs::create_dir(&beside).unwrap();
    let above = temp.beside("");
    let link = temp.beside("link");
    symlink(temp.cache.dir(), &link).unwrap();
    let granted = |grant: DirGrant| {
        let mut capabilities = Capabilities::none();
        capabilities.dirs.push(grant);
        temp.cache.check_grants(&capabilities)
    };
    let grant = |path: &std::path::Path| DirGrant::new(path, "/granted");
    for path in [temp.cache.dir(), &below, &above, &link, std::path::Path::new("/")] {
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
    granted(grant(&temp.beside("missing"))).unwrap();
}

/// Another process may create the cache while the guest runs.
#[test]
fn root_cannot_grant_the_place_of_a_cache_that_does_not_exist() {
    let temp = TempCache::new();
    let (below, beside) = (temp.beside("below"), temp.beside("beside"));
    for dir in [&below, &beside] {
        fs::create_dir(dir).unwrap();
    }
    symlink("nowhere", temp.beside("broken")).unwrap();
    symlink(&below, temp.beside("link")).unwrap();
    for (cache, endangers_beside) in [
        ("below/cache", false),
        ("below/a/b/cache", false),
        ("link/a/cache", false),
        ("beside/../below/cache", false),
        // A guest could create the missing part, so these are refused too.
        ("broken/cache", true),
        ("below/missing/../../beside/cache", true),
    ] {
        let check = |granted: &std::path::Path| {
            let mut capabilities = Capabilities::none();
            capabilities.dirs.push(DirGrant::new(granted, "/granted"));
            Cache::check_grants_at(&temp.beside(cache), &capabilities).is_err()
        };
        assert_eq!(check(&below), is_root(), "{cache}");
        assert_eq!(check(&beside), is_root() && endangers_beside, "{cache}");
        assert_eq!(check(&temp.beside("")), is_root(), "{cache}");
    }
}
