//! Grants that an engine does not support are refused by each method that creates an instance.

use wrun::session::{InstanceOptions, Session};
use wrun::{Capabilities, ErrorKind, Limits, Value};

use crate::vocabulary::{assert_contains, hints, on_each, refused};

const GUEST: &str = r#"(module (func (export "seven") (result i32) (i32.const 7)))"#;

#[test]
fn network_rules_need_an_engine_with_a_network() {
    let capabilities = Capabilities::none().with_net("tcp:127.0.0.1:80".parse().unwrap());
    on_each(|engine| {
        let module = engine.load(GUEST);
        let made = engine.runtime.create_instance(module.as_ref(), Limits::none(), capabilities.clone());
        let session = Session::open(engine.runtime.config(), GUEST.as_bytes(), None).unwrap();
        let seven = session.function("seven").unwrap();
        let options = InstanceOptions::default().with_capabilities(capabilities.clone());
        let prepared = session.prepare(options, &|_| {});
        if engine.kind.modules_have_network() {
            assert_eq!(made.unwrap().call("seven", &[]).unwrap(), [Value::I32(7)]);
            let mut instance = prepared.unwrap().instantiate(Limits::none(), &|_| {}).unwrap();
            assert!(instance.call(&seven, &Vec::<Value>::new().into(), &|_| {}).is_ok());
            let seeded = capabilities.clone().with_seed(7);
            let made = engine.runtime.create_instance(module.as_ref(), Limits::none(), seeded);
            return assert_contains(
                refused(made, ErrorKind::Grant).message(),
                &["deterministic", "`out:tcp:127.0.0.1:80`"],
            );
        }
        for error in [refused(made, ErrorKind::Grant), refused(prepared, ErrorKind::Grant)] {
            assert_contains(error.message(), &["has no network for modules", "`out:tcp:127.0.0.1:80`"]);
            assert_contains(
                &hints(&error),
                &[if cfg!(feature = "wasix") { "--runtime wasmer" } else { "--features wasix" }],
            );
        }
    });
}
