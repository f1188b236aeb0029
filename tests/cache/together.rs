//! Concurrent use: several threads write, read and remove the same entries.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::vocabulary::{Found, TempCache, get, number, on_each};

#[test]
fn concurrent_users_get_the_right_code_while_entries_are_removed() {
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(0));
        let one = temp.file().metadata().unwrap().len();
        let (done, hits) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            let users: Vec<_> = (0..4)
                .map(|user| {
                    let cache = temp.cache.clone().with_max_bytes(one * 3 + one / 2);
                    let hits = &hits;
                    scope.spawn(move || {
                        for turn in 0..60 {
                            let n = (turn + user) % 5;
                            let (result, found) = get(&cache, config, &number(n));
                            assert_eq!(result, n);
                            hits.fetch_add(u64::from(found == Found::Hit), Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    temp.cache.clear().unwrap();
                    thread::sleep(Duration::from_millis(7));
                    temp.cache.prune(one).unwrap();
                    assert!(temp.cache.verify().unwrap().iter().all(|entry| entry.fault.is_none()));
                    temp.cache.entries().unwrap();
                    thread::sleep(Duration::from_millis(7));
                }
            });
            let results: Vec<_> = users.into_iter().map(thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            assert!(results.iter().all(Result::is_ok));
        });
        assert!(hits.load(Ordering::Relaxed) > 0, "some lookups hit");
        let left = std::fs::read_dir(temp.cache.dir()).unwrap().map(|file| file.unwrap().file_name());
        let temporary = left.filter(|name| name.to_str().unwrap().starts_with(".new-")).count();
        assert_eq!(temporary, 0, "no temporary file is left behind");
    });
}

#[test]
fn a_held_lock_does_not_block_other_users() {
    on_each(|config| {
        let temp = TempCache::new();
        temp.get(config, &number(0));
        let size_log = std::fs::File::open(temp.cache.dir().join(".size-log")).unwrap();
        size_log.lock().unwrap();
        let started = Instant::now();
        assert_eq!(temp.get(config, &number(1)), (1, Found::Miss));
        assert_eq!(temp.get(config, &number(1)), (1, Found::Hit));
        assert!(started.elapsed() < Duration::from_secs(5));
    });
}
