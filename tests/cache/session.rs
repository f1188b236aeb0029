//! Sessions with a cache: what is there is not read again, and nothing that is said changes by that.

use std::cell::RefCell;

use wrun::session::{CacheUse, Call, Completion, Event, Session};
use wrun::{ErrorKind, Limits, ModuleFile, Value};

use crate::vocabulary::{Home, on_each};

const GUEST: &str = r#"(module (memory 2)
  (func (export "_initialize") (i32.store (i32.const 0) (i32.const 40)))
  (func (export "add") (param i32) (result i32) (i32.add (i32.load (i32.const 0)) (local.get 0)))
  (func (export "div") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0))))"#;

fn events(session: &Session<'_>) -> Vec<Event> {
    let events = RefCell::new(Vec::new());
    let note = |event| match event {
        Event::Measured(_) => {}
        step => events.borrow_mut().push(step),
    };
    let outcome = session.call(&Call::new("add", &[Value::I32(2)]), &note);
    assert_eq!(outcome.result.unwrap(), Completion::Returned(vec![Value::I32(42)]));
    events.into_inner()
}

#[test]
fn nothing_is_compiled_where_the_code_is_there() {
    on_each(|config| {
        let home = Home::new();
        let session = Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap();
        assert_eq!(session.cache(), CacheUse::Miss);
        assert!(matches!(events(&session)[..], [Event::Compiling(_), Event::Compiled, _, Event::Calling]));
        let session = Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap();
        assert_eq!(session.cache(), CacheUse::Hit);
        for _ in 0..2 {
            assert_eq!(events(&session), [Event::Instantiating, Event::Calling]);
        }
        let outcome = session.call(&Call::new("add", &[Value::I32(2)]), &|_| {});
        assert_eq!(outcome.metrics.cache, CacheUse::Hit);
        assert!(outcome.metrics.compiled_bytes.is_some() && outcome.metrics.compile_ns.is_some());
        let without = Session::open(config, GUEST.as_bytes()).unwrap();
        assert_eq!(without.call(&Call::new("add", &[Value::I32(2)]), &|_| {}).metrics.cache, CacheUse::Off);
    });
}

#[test]
fn an_entry_that_goes_away_meanwhile_is_compiled_after_all() {
    on_each(|config| {
        let home = Home::new();
        events(&Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap());
        let session = Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap();
        assert_eq!(events(&session).len(), 2, "what was found is held");
        home.cache.clear().unwrap();
        assert_eq!(events(&session).len(), 4, "the second call has to compile");
        assert_eq!(home.files().len(), 1, "and keeps what it compiled");
        assert_eq!(events(&session).len(), 2, "for the third");
    });
}

/// What is said of calls that fail.
fn failures(session: &Session<'_>) -> Vec<String> {
    let calls = [
        Call::new("ad", &[Value::I32(1)]),
        Call::new("add", &[]),
        Call::new("add", &[Value::I64(1)]),
        Call::new("div", &[Value::I32(0)]),
        Call::new("add", &[Value::I32(2)]).within(Limits::none().with_memory(65536)),
        Call::new("add", &[Value::I32(2)]).within(Limits::none().with_fuel(7)),
    ];
    calls.iter().map(|call| format!("{:?}", session.call(call, &|_| {}).result.unwrap_err())).collect()
}

#[test]
fn what_fails_fails_alike() {
    on_each(|config| {
        let home = Home::new();
        let plain = failures(&Session::open(config, GUEST.as_bytes()).unwrap());
        let session = Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap();
        assert_eq!(failures(&session), plain);
        let session = Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap();
        assert_eq!(session.cache(), CacheUse::Hit);
        assert_eq!(failures(&session), plain);
        let error = Session::open_cached(config, b"nothing", &home.cache).unwrap_err();
        assert_eq!(format!("{error:?}"), format!("{:?}", Session::open(config, b"nothing").unwrap_err()));
    });
}

#[test]
fn a_cache_is_filled_without_a_call() {
    on_each(|config| {
        let home = Home::new();
        let fill = || Session::open_cached(config, GUEST.as_bytes(), &home.cache).unwrap().fill_cache(&|_| {}).unwrap();
        let (first, second) = (fill(), fill());
        assert_eq!((first.metrics.cache, second.metrics.cache), (CacheUse::Miss, CacheUse::Hit));
        assert_eq!(first.key, second.key);
        assert!(home.file().to_str().unwrap().contains(&first.key));
        assert_eq!(first.metrics.compiled_bytes, second.metrics.compiled_bytes);
        let refused = Session::open(config, GUEST.as_bytes()).unwrap().fill_cache(&|_| {}).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        let session = Session::open_cached(config, b"(module)", &home.cache).unwrap();
        std::fs::remove_dir_all(home.cache.dir()).unwrap();
        let error = session.fill_cache(&|_| {}).unwrap_err();
        assert!(error.message().contains("cannot write to the cache folder"), "{error}");
    });
}

/// The guest, with so long a comment that its file is hashed and not read where its code is there.
fn long_guest(last: &str) -> String {
    format!("{GUEST} (; {}{last} ;)", "-".repeat(3 << 20))
}

#[test]
fn a_large_file_is_read_only_where_it_is_compiled() {
    on_each(|config| {
        let home = Home::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guest.wat");
        let write = |last: &str| std::fs::write(&path, long_guest(last)).unwrap();
        let open = || ModuleFile::open(&path).unwrap();
        write("a");
        let file = open();
        let session = Session::open_file(config, &file, Some(&home.cache)).unwrap();
        assert_eq!((session.cache(), events(&session).len()), (CacheUse::Miss, 4));
        let file = open();
        let session = Session::open_file(config, &file, Some(&home.cache)).unwrap();
        assert_eq!((session.cache(), events(&session).len()), (CacheUse::Hit, 2));
        home.cache.clear().unwrap();
        assert_eq!(events(&session).len(), 4, "it is read, and compiled after all");
        let bytes = long_guest("a");
        let session = Session::open_cached(config, bytes.as_bytes(), &home.cache).unwrap();
        assert_eq!(session.cache(), CacheUse::Hit, "a file and its bytes are one module");

        let file = open();
        let session = Session::open_file(config, &file, Some(&home.cache)).unwrap();
        write("b");
        assert_eq!(events(&session).len(), 2, "what was found is held");
        home.cache.clear().unwrap();
        let outcome = session.call(&Call::new("add", &[Value::I32(2)]), &|_| {});
        let error = outcome.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().contains("written to"), "{error}");
        let file = open();
        assert_eq!(Session::open_file(config, &file, Some(&home.cache)).unwrap().cache(), CacheUse::Miss);
        let without = Session::open_file(config, &file, None).unwrap();
        assert_eq!((without.cache(), events(&without).len()), (CacheUse::Off, 4));
    });
}
