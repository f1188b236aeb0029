//! The size limit, the order of eviction, and the list of entries.

use std::fs::{self, File};
use std::time::Duration;

use wrun::RuntimeConfig;
use wrun::cache::DEFAULT_MAX_BYTES;

use crate::vocabulary::{Found, TempCache, age, age_of, files, get, number, on_each, rewrite, skipped};

const HOUR: Duration = Duration::from_hours(1);

/// Makes a cache with entries for the numbers from 0, where lower numbers were used longer ago.
fn with_entries(config: &RuntimeConfig, entries: i32) -> TempCache {
    let temp = TempCache::new();
    for n in 0..entries {
        let before = temp.files();
        temp.get(config, &number(n));
        let new = temp.files().into_iter().find(|file| !before.contains(file)).unwrap();
        age(&new, HOUR * u32::try_from(entries - n).unwrap());
    }
    temp
}

fn size(temp: &TempCache) -> u64 {
    temp.files().iter().map(|file| file.metadata().unwrap().len()).sum()
}

/// Returns which of the numbers from 0 have an entry.
fn cached_numbers(config: &RuntimeConfig, temp: &TempCache, numbers: i32) -> Vec<i32> {
    // Each lookup uses a copy of the folder, since it marks an entry as used, or adds it.
    let is_cached = |n: &i32| {
        let copy = TempCache::new();
        for file in temp.files() {
            fs::copy(&file, copy.cache.dir().join(file.file_name().unwrap())).unwrap();
        }
        copy.get(config, &number(*n)).1 == Found::Hit
    };
    (0..numbers).filter(is_cached).collect()
}

#[test]
fn the_least_recently_used_entries_are_evicted() {
    on_each(|config| {
        let temp = with_entries(config, 6);
        let one = size(&temp) / 6;
        assert_eq!(temp.get(config, &number(1)), (1, Found::Hit), "used again");
        let small = temp.cache.clone().with_max_bytes(one * 5 + one / 2);
        assert_eq!(small.max_bytes(), one * 5 + one / 2);
        assert_eq!(get(&small, config, &number(6)).1, Found::Miss);
        assert!(size(&temp) <= small.max_bytes(), "{} of {}", size(&temp), small.max_bytes());
        let left = cached_numbers(config, &temp, 7);
        assert!(left.ends_with(&[4, 5, 6]) && left.contains(&1) && !left.contains(&0), "{left:?}");
    });
}

#[test]
fn the_limit_holds_for_any_number_of_entries() {
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(0));
        let one = size(&temp);
        let small = temp.cache.clone().with_max_bytes(one * 8 + one / 2);
        for n in 0..40 {
            get(&small, config, &number(n));
            assert!(size(&temp) <= small.max_bytes(), "after {n}: {}", size(&temp));
        }
        assert!(temp.files().len() >= 6, "the cache is nearly full");
        assert_eq!(get(&small, config, &number(39)), (39, Found::Hit));
    });
}

#[test]
fn code_larger_than_the_limit_runs_but_is_not_cached() {
    on_each(|config| {
        let temp = TempCache::new();
        let tiny = temp.cache.clone().with_max_bytes(100);
        for _ in 0..2 {
            assert_eq!(get(&tiny, config, &number(3)), (3, Found::Miss));
        }
        assert!(temp.files().is_empty());
    });
    assert_eq!(TempCache::new().cache.max_bytes(), DEFAULT_MAX_BYTES);
}

#[test]
fn prune_stops_at_its_limit_and_clear_removes_everything() {
    on_each(|config| {
        let temp = with_entries(config, 5);
        let all = size(&temp);
        let pruned = temp.cache.prune(all).unwrap();
        assert_eq!((pruned.removed, pruned.kept, pruned.kept_bytes), (0, 5, all));
        let pruned = temp.cache.prune(all * 3 / 5 + 500).unwrap();
        assert_eq!((pruned.removed, pruned.kept, pruned.kept_bytes), (2, 3, size(&temp)));
        assert_eq!(pruned.removed_bytes + pruned.kept_bytes, all);
        assert_eq!(cached_numbers(config, &temp, 5), [2, 3, 4]);
        let cleared = temp.cache.clear().unwrap();
        assert_eq!((cleared.removed, cleared.kept, cleared.kept_bytes), (3, 0, 0));
        assert!(temp.files().is_empty());
        assert_eq!(temp.get(config, &number(1)), (1, Found::Miss));
    });
}

#[test]
fn only_old_temporary_files_are_removed_and_no_foreign_files() {
    on_each(|config| {
        let temp = with_entries(config, 1);
        let path = |name: &str| temp.cache.dir().join(name);
        for name in [".new-old", ".new-now", "notes.txt", "short.code"] {
            fs::write(path(name), "something").unwrap();
        }
        for name in [".new-old", "notes.txt", "short.code"] {
            age(&path(name), HOUR * 30);
        }
        temp.cache.prune(DEFAULT_MAX_BYTES).unwrap();
        assert!(!path(".new-old").exists() && path(".new-now").exists());
        temp.cache.clear().unwrap();
        assert!(path(".new-now").exists(), "a process may still write to it");
        assert!(path("notes.txt").exists() && path("short.code").exists());
        assert_eq!(files(temp.cache.dir()), [path("short.code")]);
    });
}

#[test]
fn the_last_use_is_accurate_to_ten_minutes() {
    on_each(|config| {
        let temp = with_entries(config, 1);
        assert!(age_of(&temp.file()) > HOUR / 2);
        temp.get(config, &number(0));
        assert!(age_of(&temp.file()) < HOUR / 2, "used now");
        age(&temp.file(), HOUR / 12);
        temp.get(config, &number(0));
        assert!(age_of(&temp.file()) > HOUR / 24, "a hit soon after another writes nothing");
        age(&temp.file(), HOUR);
        temp.cache.verify().unwrap();
        temp.cache.entries().unwrap();
        assert!(age_of(&temp.file()) > HOUR / 2, "listing and verifying are not uses");
    });
}

#[test]
fn entries_have_metadata() {
    on_each(|config| {
        let temp = TempCache::new();
        let named = temp.cache.clone().with_label("seven.wasm");
        let metering = config.clone().with_metering();
        get(&named, &metering, &number(7));
        age(&temp.file(), HOUR);
        get(&temp.cache, config, &number(8));
        let entries = temp.cache.entries().unwrap();
        let [newer, older] = &entries[..] else { panic!("{entries:?}") };
        assert!(newer.used_unix > older.used_unix);
        let (unnamed, seven) = (newer.about.as_ref().unwrap(), older.about.as_ref().unwrap());
        assert_eq!((unnamed.module.as_deref(), seven.module.as_deref()), (None, Some("seven.wasm")));
        assert_eq!(seven.module_bytes, number(7).len() as u64);
        assert_eq!(seven.runtime, config.kind.as_str());
        assert_eq!(seven.runtime_version, config.kind.version());
        assert_eq!(seven.compiler, config.effective_compiler().as_str());
        assert_eq!((seven.options.as_slice(), unnamed.options.len()), (&["fuel".to_owned()][..], 0));
        assert_eq!(older.bytes, files(temp.cache.dir()).iter().map(|f| f.metadata().unwrap().len()).max().unwrap());
        rewrite(&temp.files()[0], b"nothing");
        assert_eq!(temp.cache.entries().unwrap().iter().filter(|entry| entry.about.is_none()).count(), 1);
    });
}

#[test]
fn an_entry_of_almost_the_limit_replaces_all_others() {
    on_each(|config| {
        let temp = with_entries(config, 3);
        let one = size(&temp) / 3;
        let small = temp.cache.clone().with_max_bytes(one + one / 20);
        assert_eq!(get(&small, config, &number(9)).1, Found::Miss);
        assert_eq!(get(&small, config, &number(9)), (9, Found::Hit), "the new entry stays");
        assert_eq!(temp.files().len(), 1);
        let barely = temp.cache.clone().with_max_bytes(temp.file().metadata().unwrap().len() - 1);
        temp.cache.clear().unwrap();
        assert_eq!(get(&barely, config, &number(9)).1, Found::Miss);
        assert_eq!(temp.files().len(), 0, "an entry one byte larger than the limit is not written");
    });
}

#[test]
fn an_entry_from_the_future_counts_as_old() {
    on_each(|config| {
        let temp = with_entries(config, 3);
        let one = size(&temp) / 3;
        let files = temp.files();
        let future = std::time::SystemTime::now() + HOUR * 24;
        File::open(&files[1]).unwrap().set_modified(future).unwrap();
        temp.cache.prune(one * 2 + one / 2).unwrap();
        assert_eq!(temp.files(), [files[0].clone(), files[2].clone()]);
    });
}

#[test]
fn recent_temporary_files_count_towards_the_limit() {
    on_each(|config| {
        let temp = with_entries(config, 4);
        let one = usize::try_from(size(&temp) / 4).unwrap();
        fs::write(temp.cache.dir().join(".new-cut-off"), vec![0; one * 3]).unwrap();
        fs::remove_file(temp.cache.dir().join(".size-log")).unwrap();
        let small = temp.cache.clone().with_max_bytes(u64::try_from(one * 6).unwrap());
        get(&small, config, &number(9));
        assert!(temp.files().len() <= 3, "{} entries and a temporary file as large as three", temp.files().len());
        assert_eq!(get(&small, config, &number(9)), (9, Found::Hit));
    });
}

#[test]
fn a_foreign_file_in_place_of_the_size_log_is_left_alone_and_the_limit_holds() {
    let beside = tempfile::tempdir().unwrap();
    let elsewhere = beside.path().join("precious");
    for (what, is_kept) in [
        ("a foreign file", true),
        ("a link", true),
        ("a folder", true),
        ("a truncated size log", false),
        ("a long size log", false),
    ] {
        on_each(|config| {
            let temp = TempCache::new();
            let path = temp.cache.dir().join(".size-log");
            fs::write(&elsewhere, "precious").unwrap();
            match what {
                "a foreign file" => fs::write(&path, "precious").unwrap(),
                "a link" => std::os::unix::fs::symlink(&elsewhere, &path).unwrap(),
                "a folder" => fs::create_dir(&path).unwrap(),
                "a truncated size log" => fs::write(&path, "wrunSIZE123").unwrap(),
                _ => {
                    // A terabyte of zeros, which no machine could read into memory.
                    fs::write(&path, "wrunSIZE").unwrap();
                    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
                }
            }
            temp.get(config, &number(0));
            let one = temp.file().metadata().unwrap().len();
            let small = temp.cache.clone().with_max_bytes(one * 3);
            for n in 1..8 {
                assert_eq!(get(&small, config, &number(n)).0, n);
                assert!(size(&temp) <= one * 3, "{what}, after {n}: {}", size(&temp));
            }
            temp.cache.prune(0).unwrap();
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious", "{what}");
            if what == "a foreign file" {
                assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
            }
            assert_eq!(path.symlink_metadata().unwrap().is_file() && is_kept, what == "a foreign file");
        });
    }
}

#[test]
fn an_entry_that_cannot_be_removed_does_not_protect_others() {
    on_each(|config| {
        let temp = with_entries(config, 3);
        let first = temp.files().remove(0);
        let failed = while_immutable(&first, || temp.cache.clear());
        let Some(cleared) = failed else { return skipped("`chattr +i` does not work here") };
        assert!(cleared.unwrap_err().message().contains("cannot remove an entry"));
        assert_eq!(temp.files().len(), 1, "the others are removed");
    });
}

/// Runs `test` while a file cannot be removed. Returns `None` if the system has no way to protect it.
fn while_immutable<T>(path: &std::path::Path, test: impl FnOnce() -> T) -> Option<T> {
    let chattr = |flag: &str| {
        let ran = std::process::Command::new("chattr").arg(flag).arg(path).output();
        ran.is_ok_and(|output| output.status.success())
    };
    if !chattr("+i") {
        return None;
    }
    let result = test();
    assert!(chattr("-i"));
    Some(result)
}
