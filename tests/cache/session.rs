//! Sessions with a cache: a hit neither reads nor compiles the module, and errors do not change.

use std::cell::{Cell, RefCell};

use wrun::session::{CacheUse, CallMetrics, Completion, Event, InstanceOptions, Session};
use wrun::{ErrorKind, Limits, ModuleFile, Value};

use crate::vocabulary::{TempCache, on_each};

const GUEST: &str = r#"(module (memory 2)
  (func (export "_initialize") (i32.store (i32.const 0) (i32.const 40)))
  (func (export "add") (param i32) (result i32) (i32.add (i32.load (i32.const 0)) (local.get 0)))
  (func (export "div") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0))))"#;

/// Opens the guest and calls `add`. Returns the reported steps.
fn events(session: Session<'_>) -> Vec<Event> {
    let events = RefCell::new(Vec::new());
    let record = |event| match event {
        Event::Prepared { .. } | Event::Instantiated { .. } | Event::Called { .. } => {}
        step => events.borrow_mut().push(step),
    };
    let completion = call(session, "add", &[Value::I32(2)], Limits::none(), &record).unwrap();
    assert_eq!(completion, Completion::Returned(vec![Value::I32(42)].into()));
    events.into_inner()
}

fn call(
    session: Session<'_>,
    function: &str,
    args: &[Value],
    limits: Limits,
    record: &dyn Fn(Event),
) -> wrun::Result<Completion> {
    let callable = session.function(function);
    let prepared = session.prepare(InstanceOptions::default().with_limits(limits), record)?;
    prepared.instantiate(limits, record)?.call(&callable?, &args.to_vec().into(), record)
}

fn metrics(session: Session<'_>) -> CallMetrics {
    let metrics = Cell::new(CallMetrics::default());
    call(session, "add", &[Value::I32(2)], Limits::none(), &|event| metrics.set(metrics.get().with(event))).unwrap();
    metrics.get()
}

#[test]
fn a_hit_compiles_nothing() {
    on_each(|config| {
        let temp = TempCache::new();
        let open = || Session::open(config, GUEST.as_bytes(), Some(&temp.cache)).unwrap();
        assert_eq!(open().cache(), CacheUse::Miss);
        assert!(matches!(events(open())[..], [Event::Compiling { .. }, Event::Compiled, _, _, Event::Calling]));
        assert_eq!(open().cache(), CacheUse::Hit);
        assert_eq!(events(open()), [Event::Instantiating, Event::Initializing, Event::Calling]);
        let hit = metrics(open());
        assert_eq!(hit.cache, CacheUse::Hit);
        assert!(hit.compiled_bytes.is_some() && hit.compile_ns.is_some());
        assert_eq!(metrics(Session::open(config, GUEST.as_bytes(), None).unwrap()).cache, CacheUse::Off);
    });
}

#[test]
fn code_that_was_found_is_used_after_its_entry_is_removed() {
    on_each(|config| {
        let temp = TempCache::new();
        let open = || Session::open(config, GUEST.as_bytes(), Some(&temp.cache)).unwrap();
        events(open());
        let session = open();
        temp.cache.clear().unwrap();
        assert_eq!(events(session).len(), 3);
        assert_eq!(events(open()).len(), 5, "the next session compiles");
        assert_eq!(temp.files().len(), 1, "and fills the cache");
    });
}

/// Returns the errors of failing calls.
fn failures(open: impl Fn() -> Session<'static>) -> Vec<String> {
    let calls: [(&str, &[Value], Limits); 6] = [
        ("ad", &[Value::I32(1)], Limits::none()),
        ("add", &[], Limits::none()),
        ("add", &[Value::I64(1)], Limits::none()),
        ("div", &[Value::I32(0)], Limits::none()),
        ("add", &[Value::I32(2)], Limits::none().with_memory(65536)),
        ("add", &[Value::I32(2)], Limits::none().with_fuel(7)),
    ];
    calls
        .map(|(function, args, limits)| format!("{:?}", call(open(), function, args, limits, &|_| {}).unwrap_err()))
        .into()
}

#[test]
fn errors_are_the_same_with_and_without_a_cache() {
    on_each(|config| {
        let temp = TempCache::new();
        let plain = failures(|| Session::open(config, GUEST.as_bytes(), None).unwrap());
        let cached = || Session::open(config, GUEST.as_bytes(), Some(&temp.cache)).unwrap();
        assert_eq!(failures(cached), plain);
        assert_eq!(cached().cache(), CacheUse::Hit);
        assert_eq!(failures(cached), plain);
        let error = Session::open(config, b"nothing", Some(&temp.cache)).unwrap_err();
        assert_eq!(format!("{error:?}"), format!("{:?}", Session::open(config, b"nothing", None).unwrap_err()));
    });
}

#[test]
fn a_cache_is_filled_without_a_call() {
    on_each(|config| {
        let temp = TempCache::new();
        let fill = || {
            let session = Session::open(config, GUEST.as_bytes(), Some(&temp.cache)).unwrap();
            session.fill_cache(&|_| {}).unwrap()
        };
        let (first, second) = (fill(), fill());
        assert_eq!((first.cache, second.cache), (CacheUse::Miss, CacheUse::Hit));
        assert_eq!(first.key, second.key);
        assert!(temp.file().to_str().unwrap().contains(&first.key));
        assert_eq!(first.compiled_bytes, second.compiled_bytes);
        let refused = Session::open(config, GUEST.as_bytes(), None).unwrap().fill_cache(&|_| {}).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        let session = Session::open(config, b"(module)", Some(&temp.cache)).unwrap();
        std::fs::remove_dir_all(temp.cache.dir()).unwrap();
        let error = session.fill_cache(&|_| {}).unwrap_err();
        assert!(error.message().contains("cannot write to the cache directory"), "{error}");
    });
}

/// Returns the guest with a long comment: its file is hashed, and read only for compiling.
fn long_guest(last: &str) -> String {
    format!("{GUEST} (; {}{last} ;)", "-".repeat(3 << 20))
}

#[test]
fn a_large_file_is_read_only_to_be_compiled() {
    on_each(|config| {
        let temp = TempCache::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guest.wat");
        let write = |last: &str| std::fs::write(&path, long_guest(last)).unwrap();
        let open = || ModuleFile::open(&path).unwrap();
        let steps = |file: &ModuleFile, cache| {
            let session = Session::open(config, file, cache).unwrap();
            (session.cache(), events(session).len())
        };
        write("a");
        assert_eq!(steps(&open(), Some(&temp.cache)), (CacheUse::Miss, 5));
        assert_eq!(steps(&open(), Some(&temp.cache)), (CacheUse::Hit, 3));
        let bytes = long_guest("a");
        let session = Session::open(config, bytes.as_bytes(), Some(&temp.cache)).unwrap();
        assert_eq!(session.cache(), CacheUse::Hit, "a file and its bytes are one module");

        let file = open();
        let session = Session::open(config, &file, Some(&temp.cache)).unwrap();
        write("b");
        assert_eq!(events(session).len(), 3, "the code of the old contents was found");
        temp.cache.clear().unwrap();
        let error = Session::open(config, &file, Some(&temp.cache)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("changed while it was read"), "{error}");
        assert_eq!(Session::open(config, &open(), Some(&temp.cache)).unwrap().cache(), CacheUse::Miss);
        assert_eq!(steps(&open(), None), (CacheUse::Off, 5));
    });
}
