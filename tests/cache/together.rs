//! Concurrent use: writers of the same entry, and removal of entries that others read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::vocabulary::{Found, Home, get, number, on_each};

#[test]
fn concurrent_use_always_loads_the_right_code() {
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(0));
        let one = home.file().metadata().unwrap().len();
        let (done, hits) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            let users: Vec<_> = (0..4)
                .map(|user| {
                    let cache = home.cache.clone().with_max_bytes(one * 3 + one / 2);
                    let hits = &hits;
                    scope.spawn(move || {
                        for turn in 0..60 {
                            let n = (turn + user) % 5;
                            let (told, found) = get(&cache, config, &number(n));
                            assert_eq!(told, n);
                            hits.fetch_add(u64::from(found == Found::Hit), Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    home.cache.clear().unwrap();
                    thread::sleep(Duration::from_millis(7));
                    home.cache.prune(one).unwrap();
                    assert!(home.cache.verify().unwrap().iter().all(|entry| entry.fault.is_none()));
                    home.cache.entries().unwrap();
                    thread::sleep(Duration::from_millis(7));
                }
            });
            let results: Vec<_> = users.into_iter().map(thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            assert!(results.iter().all(Result::is_ok));
        });
        assert!(hits.load(Ordering::Relaxed) > 0, "and the cache is of use meanwhile");
        let left = std::fs::read_dir(home.cache.dir()).unwrap().map(|file| file.unwrap().file_name());
        let temporary = left.filter(|name| name.to_str().unwrap().starts_with(".new-")).count();
        assert_eq!(temporary, 0, "no temporary files are left");
    });
}

#[test]
fn a_held_lock_blocks_no_other_process() {
    on_each(|config| {
        let home = Home::new();
        home.get(config, &number(0));
        let ledger = std::fs::File::open(home.cache.dir().join(".ledger")).unwrap();
        ledger.lock().unwrap();
        let started = Instant::now();
        assert_eq!(home.get(config, &number(1)), (1, Found::Miss));
        assert_eq!(home.get(config, &number(1)), (1, Found::Hit));
        assert!(started.elapsed() < Duration::from_secs(5));
    });
}
