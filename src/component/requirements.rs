//! The host capabilities that a component's imports need.

use std::collections::BTreeSet;

use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::module::requirements::HostCapability;

/// Returns the host capabilities that a component's imports need, by the interfaces of WASI. Any other import that is not just
/// types is [`HostCapability::Host`].
#[must_use]
pub fn host_capabilities(info: &ComponentInfo) -> BTreeSet<HostCapability> {
    info.imports.iter().flat_map(of_import).collect()
}

fn of_import(ComponentExtern { name, item }: &ComponentExtern) -> Vec<HostCapability> {
    let functions: Vec<&str> = match item {
        ComponentItem::Type(_) | ComponentItem::OtherType | ComponentItem::Resource(_) => return Vec::new(),
        ComponentItem::Func(_) | ComponentItem::Module | ComponentItem::Component | ComponentItem::Value(_) => {
            return vec![HostCapability::Host];
        }
        ComponentItem::Instance(items) => {
            let is_function = |item: &&ComponentExtern| matches!(item.item, ComponentItem::Func(_));
            items.iter().filter(is_function).map(|item| &*item.name).collect()
        }
    };
    let Some(interface) = name.strip_prefix("wasi:").filter(|_| !functions.is_empty()) else {
        return if functions.is_empty() { Vec::new() } else { vec![HostCapability::Host] };
    };
    let (package, interface) = interface.split_once('/').unwrap_or((interface, ""));
    match (package, interface.split('@').next().unwrap_or_default()) {
        ("cli", "environment") => {
            let function = |name: &&str| match *name {
                "get-arguments" => Some(HostCapability::Arguments),
                "get-environment" => Some(HostCapability::Environment),
                _ => None,
            };
            functions.iter().filter_map(function).collect()
        }
        ("cli", "exit") => Vec::new(),
        ("cli" | "io", _) => vec![HostCapability::Streams],
        ("clocks", _) => vec![HostCapability::Clocks],
        ("random", _) => vec![HostCapability::Random],
        ("filesystem", _) => vec![HostCapability::Filesystem],
        ("sockets", _) => vec![HostCapability::Network],
        ("http", _) => vec![HostCapability::Http],
        _ => vec![HostCapability::Host],
    }
}
