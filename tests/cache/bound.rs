//! The maximum size of a cache, eviction, and listing.

use std::fs;
use std::time::Duration;

use wrun::RuntimeConfig;
use wrun::cache::DEFAULT_MAX_BYTES;

use crate::vocabulary::{Found, Home, age, age_of, files, get, number, on_each, rewrite, skipped};

const HOUR: Duration = Duration::from_hours(1);

/// Creates a cache with entries for the numbers from 0, the least recently used first.
fn with_entries(config: &RuntimeConfig, entries: i32) -> Home {
    let home = Home::new();
    for n in 0..entries {
        let before = home.files();
        home.get(config, &number(n));
        let new = home.files().into_iter().find(|file| !before.contains(file)).unwrap();
        age(&new, HOUR * u32::try_from(entries - n).unwrap());
    }
    home
}

fn size(home: &Home) -> u64 {
    home.files().iter().map(|file| file.metadata().unwrap().len()).sum()
}

/// Returns the numbers that have an entry.
fn there(config: &RuntimeConfig, home: &Home, numbers: i32) -> Vec<i32> {
    // Looks in a copy of the folder, because a hit updates the time of use and a miss compiles.
    let is_there = |n: &i32| {
        let copy = Home::new();
        for file in home.files() {
            fs::copy(&file, copy.cache.dir().join(file.file_name().unwrap())).unwrap();
        }
        copy.get(config, &number(*n)).1 == Found::Hit
    };
    (0..numbers).filter(is_there).collect()
}

#[test]
fn the_least_recently_used_entry_is_evicted() {
    on_each(|config| {
        let home = with_entries(config, 6);
        let one = size(&home) / 6;
        assert_eq!(home.get(config, &number(1)), (1, Found::Hit), "used again");
        let small = home.cache.clone().with_max_bytes(one * 5 + one / 2);
        assert_eq!(small.max_bytes(), one * 5 + one / 2);
        assert_eq!(get(&small, config, &number(6)).1, Found::Miss);
        assert!(size(&home) <= small.max_bytes(), "{} of {}", size(&home), small.max_bytes());
        let left = there(config, &home, 7);
        assert!(left.ends_with(&[4, 5, 6]) && left.contains(&1) && !left.contains(&0), "{left:?}");
    });
}

#[test]
fn the_maximum_size_holds_for_many_entries() {
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(0));
        let one = size(&home);
        let small = home.cache.clone().with_max_bytes(one * 8 + one / 2);
        for n in 0..40 {
            get(&small, config, &number(n));
            assert!(size(&home) <= small.max_bytes(), "after {n}: {}", size(&home));
        }
        assert!(home.files().len() >= 6, "and the room there is is used");
        assert_eq!(get(&small, config, &number(39)), (39, Found::Hit));
    });
}

#[test]
fn code_above_the_maximum_size_runs_uncached() {
    on_each(|config| {
        let home = Home::new();
        let tiny = home.cache.clone().with_max_bytes(100);
        for _ in 0..2 {
            assert_eq!(get(&tiny, config, &number(3)), (3, Found::Miss));
        }
        assert!(home.files().is_empty());
    });
    assert_eq!(Home::new().cache.max_bytes(), DEFAULT_MAX_BYTES);
}

#[test]
fn prune_stops_at_the_size_and_clear_removes_everything() {
    on_each(|config| {
        let home = with_entries(config, 5);
        let all = size(&home);
        let pruned = home.cache.prune(all).unwrap();
        assert_eq!((pruned.removed, pruned.kept, pruned.kept_bytes), (0, 5, all));
        let pruned = home.cache.prune(all * 3 / 5 + 500).unwrap();
        assert_eq!((pruned.removed, pruned.kept, pruned.kept_bytes), (2, 3, size(&home)));
        assert_eq!(pruned.removed_bytes + pruned.kept_bytes, all);
        assert_eq!(there(config, &home, 5), [2, 3, 4]);
        let cleared = home.cache.clear().unwrap();
        assert_eq!((cleared.removed, cleared.kept, cleared.kept_bytes), (3, 0, 0));
        assert!(home.files().is_empty());
        assert_eq!(home.get(config, &number(1)), (1, Found::Miss));
    });
}

#[test]
fn only_old_temporary_files_are_removed() {
    on_each(|config| {
        let home = with_entries(config, 1);
        let path = |name: &str| home.cache.dir().join(name);
        for name in [".new-old", ".new-now", "notes.txt", "short.code"] {
            fs::write(path(name), "something").unwrap();
        }
        for name in [".new-old", "notes.txt", "short.code"] {
            age(&path(name), HOUR * 30);
        }
        home.cache.prune(DEFAULT_MAX_BYTES).unwrap();
        assert!(!path(".new-old").exists() && path(".new-now").exists());
        home.cache.clear().unwrap();
        assert!(path(".new-now").exists(), "another process may be writing it");
        assert!(path("notes.txt").exists() && path("short.code").exists());
        assert_eq!(files(home.cache.dir()), [path("short.code")]);
    });
}

#[test]
fn the_time_of_use_is_precise_to_minutes() {
    on_each(|config| {
        let home = with_entries(config, 1);
        assert!(age_of(&home.file()) > HOUR / 2);
        home.get(config, &number(0));
        assert!(age_of(&home.file()) < HOUR / 2, "used now");
        age(&home.file(), HOUR / 12);
        home.get(config, &number(0));
        assert!(age_of(&home.file()) > HOUR / 24, "a warm run writes nothing");
        age(&home.file(), HOUR);
        home.cache.verify().unwrap();
        home.cache.entries().unwrap();
        assert!(age_of(&home.file()) > HOUR / 2, "to look at it is not to use it");
    });
}

#[test]
fn entries_describe_themselves() {
    on_each(|config| {
        let home = Home::new();
        let named = home.cache.clone().with_label("seven.wasm");
        let metering = config.clone().with_metering();
        get(&named, &metering, &number(7));
        age(&home.file(), HOUR);
        get(&home.cache, config, &number(8));
        let entries = home.cache.entries().unwrap();
        let [newer, older] = &entries[..] else { panic!("{entries:?}") };
        assert!(newer.used_unix > older.used_unix);
        let (unnamed, seven) = (newer.about.as_ref().unwrap(), older.about.as_ref().unwrap());
        assert_eq!((unnamed.module.as_deref(), seven.module.as_deref()), (None, Some("seven.wasm")));
        assert_eq!(seven.module_bytes, number(7).len() as u64);
        assert_eq!(seven.runtime, config.kind.as_str());
        assert_eq!(seven.runtime_version, config.kind.version());
        assert_eq!(seven.compiler, config.effective_compiler().as_str());
        assert_eq!((seven.options.as_slice(), unnamed.options.len()), (&["fuel".to_owned()][..], 0));
        assert_eq!(older.bytes, files(home.cache.dir()).iter().map(|f| f.metadata().unwrap().len()).max().unwrap());
        rewrite(&home.files()[0], b"nothing");
        assert_eq!(home.cache.entries().unwrap().iter().filter(|entry| entry.about.is_none()).count(), 1);
    });
}

#[test]
fn an_entry_of_nearly_the_maximum_size_evicts_the_others() {
    on_each(|config| {
        let home = with_entries(config, 3);
        let one = size(&home) / 3;
        let small = home.cache.clone().with_max_bytes(one + one / 20);
        assert_eq!(get(&small, config, &number(9)).1, Found::Miss);
        assert_eq!(get(&small, config, &number(9)), (9, Found::Hit), "the new entry is kept");
        assert_eq!(home.files().len(), 1);
        let barely = home.cache.clone().with_max_bytes(home.file().metadata().unwrap().len() - 1);
        home.cache.clear().unwrap();
        assert_eq!(get(&barely, config, &number(9)).1, Found::Miss);
        assert_eq!(home.files().len(), 0, "one byte less, and it is not written");
    });
}

#[test]
fn entries_from_the_future_count_as_old() {
    on_each(|config| {
        let home = with_entries(config, 3);
        let one = size(&home) / 3;
        let files = home.files();
        let future = std::time::SystemTime::now() + HOUR * 24;
        fs::File::open(&files[1]).unwrap().set_modified(future).unwrap();
        home.cache.prune(one * 2 + one / 2).unwrap();
        assert_eq!(home.files(), [files[0].clone(), files[2].clone()]);
    });
}

#[test]
fn recent_temporary_files_count_towards_the_size() {
    on_each(|config| {
        let home = with_entries(config, 4);
        let one = usize::try_from(size(&home) / 4).unwrap();
        fs::write(home.cache.dir().join(".new-cut-off"), vec![0; one * 3]).unwrap();
        fs::remove_file(home.cache.dir().join(".ledger")).unwrap();
        let small = home.cache.clone().with_max_bytes(u64::try_from(one * 6).unwrap());
        get(&small, config, &number(9));
        assert!(home.files().len() <= 3, "{} entries beside what takes the room of three", home.files().len());
        assert_eq!(get(&small, config, &number(9)), (9, Found::Hit));
    });
}

#[test]
fn a_foreign_file_in_place_of_the_size_log_is_kept() {
    let beside = tempfile::tempdir().unwrap();
    let elsewhere = beside.path().join("precious");
    for (what, is_kept) in [("a file of others", true), ("a link", true), ("a folder", true), ("a cut ledger", false)] {
        on_each(|config| {
            let home = Home::new();
            let path = home.cache.dir().join(".ledger");
            fs::write(&elsewhere, "precious").unwrap();
            match what {
                "a file of others" => fs::write(&path, "precious").unwrap(),
                "a link" => std::os::unix::fs::symlink(&elsewhere, &path).unwrap(),
                "a folder" => fs::create_dir(&path).unwrap(),
                _ => fs::write(&path, "wrunROOM123").unwrap(),
            }
            home.get(config, &number(0));
            let one = home.file().metadata().unwrap().len();
            let small = home.cache.clone().with_max_bytes(one * 3);
            for n in 1..8 {
                assert_eq!(get(&small, config, &number(n)).0, n);
                assert!(size(&home) <= one * 3, "{what}, after {n}: {}", size(&home));
            }
            home.cache.prune(0).unwrap();
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious", "{what}");
            if what == "a file of others" {
                assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
            }
            assert_eq!(path.symlink_metadata().unwrap().is_file() && is_kept, what == "a file of others");
        });
    }
}

#[test]
fn an_entry_that_cannot_be_removed_does_not_keep_the_others() {
    on_each(|config| {
        let home = with_entries(config, 3);
        let first = home.files().remove(0);
        let failed = block(&first, || home.cache.clear());
        let Some(cleared) = failed else { return skipped("`chattr +i` does not work here") };
        assert!(cleared.unwrap_err().message().contains("cannot remove an entry"));
        assert_eq!(home.files().len(), 1, "the others went");
    });
}

/// Runs `meanwhile` while a file cannot be removed. Returns `None` if the file cannot be made immutable.
fn block<T>(path: &std::path::Path, meanwhile: impl FnOnce() -> T) -> Option<T> {
    let chattr = |flag: &str| {
        let ran = std::process::Command::new("chattr").arg(flag).arg(path).output();
        ran.is_ok_and(|output| output.status.success())
    };
    if !chattr("+i") {
        return None;
    }
    let done = meanwhile();
    assert!(chattr("-i"));
    Some(done)
}
