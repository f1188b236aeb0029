//! The WIT of a component.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wit_component::WitPrinter;

use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Returns the WIT of a valid binary component with these facts: a world `root` with its imports and exports, and the packages of
/// its interfaces.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if WIT cannot express the component, for example because it exports a core module;
/// those of [`ComponentInfo::check_printable`].
pub fn wit_text(binary: &[u8], info: &ComponentInfo) -> Result<String> {
    info.check_printable()?;
    if let Some(item) = inexpressible(&info.imports).or_else(|| inexpressible(&info.exports)) {
        let message = format!("the component cannot be written as WIT: it imports or exports {}", item.kind());
        return Err(Error::new(ErrorKind::UnsupportedFeature, message));
    }
    let text = catch_unwind(AssertUnwindSafe(|| print(binary)))
        .map_err(|panic| Error::of_panic("the component cannot be written as WIT", panic.as_ref()))?;
    text.map_err(|why| {
        let message = format!("the component cannot be written as WIT: {}", Escaped(&why));
        Error::new(ErrorKind::UnsupportedFeature, message)
    })
}

/// Finds an item for which WIT has no syntax.
fn inexpressible(externs: &[ComponentExtern]) -> Option<&ComponentItem> {
    externs.iter().find_map(|one| match &one.item {
        ComponentItem::Instance(items) => inexpressible(items),
        ComponentItem::Module | ComponentItem::Component | ComponentItem::Value(_) => Some(&one.item),
        _ => None,
    })
}

fn print(binary: &[u8]) -> Result<String, String> {
    let decoded = wit_component::decode(binary).map_err(|error| format!("{error:#}"))?;
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != main).collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, main, &others).map_err(|error| format!("{error:#}"))?;
    Ok(printer.output.into())
}
