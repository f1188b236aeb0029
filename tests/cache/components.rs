//! Entries of components: a hit is neither validated nor compiled, and a damaged entry is replaced.

use std::cell::RefCell;
use std::fs;

use wrun::session::{CacheUse, Event, InstanceOptions, Session};
use wrun::{Capabilities, CodeInfo, ErrorKind, Limits, RuntimeConfig, WasmComponentInstanceExt, create_runtime};

use crate::vocabulary::{Found, TempCache, found, number, rewrite};

/// A component whose `get` returns `number`.
fn component(number: i32) -> String {
    format!(
        r#"(component
          (core module $code (func (export "get") (result i32) (i32.const {number})))
          (core instance $code (instantiate $code))
          (func (export "get") (result s32) (canon lift (core func $code "get"))))"#
    )
}

/// Loads a component with a new runtime and calls its `get`. Returns the result, and whether the code was cached.
#[track_caller]
fn get(temp: &TempCache, config: &RuntimeConfig, bytes: &[u8]) -> (String, Found) {
    let runtime = create_runtime(config).unwrap();
    let component = temp.cache.load_or_compile_component(runtime.as_ref(), bytes).unwrap();
    assert_eq!(component.info().exports.len(), 1);
    let mut instance =
        runtime.create_component_instance(component.as_ref(), Limits::none(), Capabilities::none()).unwrap();
    (instance.call_json("get", "[]").unwrap(), found(runtime.as_ref()))
}

/// Asserts the result of [`get`].
#[track_caller]
fn gets(temp: &TempCache, config: &RuntimeConfig, number: i32, expected: Found) {
    assert_eq!(get(temp, config, component(number).as_bytes()), (number.to_string(), expected));
}

#[test]
fn a_component_is_compiled_once_for_each_configuration() {
    let temp = TempCache::new();
    let plain = RuntimeConfig::wasmtime();
    gets(&temp, &plain, 7, Found::Miss);
    gets(&temp, &plain, 7, Found::Hit);
    gets(&temp, &plain, 8, Found::Miss);
    for config in
        [plain.clone().with_metering(), plain.clone().with_interruption(), plain.clone().with_canonical_nans()]
    {
        gets(&temp, &config, 7, Found::Miss);
        gets(&temp, &config, 7, Found::Hit);
    }
    let binary = wat::parse_str(component(7)).unwrap();
    assert_eq!(get(&temp, &plain, &binary).1, Found::Miss, "text and binary have different entries");
    assert_eq!(temp.files().len(), 6);
    assert!(temp.cache.verify().unwrap().iter().all(|entry| entry.fault.is_none()));
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let (temp, config) = (TempCache::new(), RuntimeConfig::wasmtime());
    gets(&temp, &config, 7, Found::Miss);
    let good = fs::read(temp.file()).unwrap();
    // The facts follow the code; the trailer has 104 bytes.
    let places = (0..good.len()).step_by(good.len() / 20).chain(good.len() - 700..good.len() - 104).step_by(7);
    for at in places {
        let mut bad = good.clone();
        bad[at] ^= 1;
        rewrite(&temp.file(), &bad);
        gets(&temp, &config, 7, Found::Miss);
    }
    rewrite(&temp.file(), &good[..good.len() / 2]);
    gets(&temp, &config, 7, Found::Miss);
    gets(&temp, &config, 7, Found::Hit);
}

#[test]
fn an_entry_with_the_facts_of_another_is_not_used() {
    let (temp, config) = (TempCache::new(), RuntimeConfig::wasmtime());
    gets(&temp, &config, 7, Found::Miss);
    let of_seven = temp.file();
    gets(&temp, &config, 8, Found::Miss);
    let of_eight = temp.files().into_iter().find(|path| *path != of_seven).unwrap();
    rewrite(&of_seven, &fs::read(&of_eight).unwrap());
    gets(&temp, &config, 7, Found::Miss);
    gets(&temp, &config, 8, Found::Hit);
}

#[test]
fn modules_and_components_are_not_mistaken_for_each_other() {
    let (temp, config) = (TempCache::new(), RuntimeConfig::wasmtime());
    let refused = |with_cache: bool, bytes: &[u8], as_module: bool| {
        let runtime = create_runtime(&config).unwrap();
        let error = match (with_cache, as_module) {
            (true, true) => temp.cache.load_or_compile(runtime.as_ref(), bytes).map(drop),
            (true, false) => temp.cache.load_or_compile_component(runtime.as_ref(), bytes).map(drop),
            (false, true) => runtime.load_module(bytes).map(drop),
            (false, false) => runtime.load_component(bytes).map(drop),
        };
        format!("{:?}", error.unwrap_err())
    };
    gets(&temp, &config, 7, Found::Miss);
    temp.get(&config, &number(7));
    for (bytes, as_module) in [(component(7).into_bytes(), true), (number(7), false)] {
        assert_eq!(refused(true, &bytes, as_module), refused(false, &bytes, as_module));
    }
}

#[test]
fn a_session_of_a_component_compiles_only_on_a_miss() {
    let (temp, config) = (TempCache::new(), RuntimeConfig::wasmtime());
    let (text, steps) = (component(7), RefCell::new(Vec::new()));
    let record = |event| steps.borrow_mut().push(event);
    let run = || {
        let session = Session::open(&config, text.as_bytes(), Some(&temp.cache)).unwrap();
        let cache = session.cache();
        assert!(matches!(session.info(), CodeInfo::Component(_)));
        let get = session.function("get").unwrap();
        let prepared = session.prepare(InstanceOptions::default(), &record).unwrap();
        let mut instance = prepared.instantiate(Limits::none(), &record).unwrap();
        let completion = instance.call(&get, &get.decode_json(b"[]").unwrap(), &record).unwrap();
        assert!(format!("{completion:?}").contains("S32(7)"), "{completion:?}");
        let compiled = steps.take().into_iter().filter(|event| matches!(event, Event::Compiling { .. })).count();
        (cache, compiled)
    };
    assert_eq!(run(), (CacheUse::Miss, 1));
    assert_eq!(run(), (CacheUse::Hit, 0));
    let session = Session::open(&config, text.as_bytes(), Some(&temp.cache)).unwrap();
    assert_eq!(session.fill_cache(&|_| {}).unwrap().cache, CacheUse::Hit);
    let refused = Session::open(&config, text.as_bytes(), Some(&temp.cache)).unwrap().function("gat").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnknownExport, "names are checked without an engine");
}
