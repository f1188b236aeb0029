//! The resources that the host holds for one instance, by number.

use std::collections::HashMap;

use smallvec::SmallVec;
use wasmtime::component::ResourceAny;

use crate::component::types::Resource;
use crate::component::value::ResourceHandle;
use crate::error::{Error, ErrorKind, Result};

/// The resources that an instance returned to the host. No number is used twice, so a handle that was dropped or passed back
/// stays invalid.
pub(super) struct Resources {
    /// The number of the instance.
    instance: u64,
    next: u64,
    live: HashMap<u64, Held>,
}

#[derive(Clone, Copy)]
struct Held {
    resource: ResourceAny,
    /// The number of its type.
    ty: u32,
}

/// The resources that the arguments of one call use.
#[derive(Default)]
pub(super) struct Uses(SmallVec<[(u64, Use); 4]>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Own,
    Borrow,
}

impl Resources {
    pub(super) fn new(instance: u64) -> Self {
        Self { instance, next: 0, live: HashMap::new() }
    }

    /// Keeps a resource of this type, and returns its handle.
    pub(super) fn insert(&mut self, resource: ResourceAny, ty: &Resource) -> ResourceHandle {
        let number = self.next;
        self.next += 1;
        self.live.insert(number, Held { resource, ty: ty.number });
        ResourceHandle { instance: self.instance, number }
    }

    /// Returns the resource to pass as an argument of this type.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the handle belongs to another instance, has another type, or is no longer valid.
    pub(super) fn find(&self, handle: ResourceHandle, ty: &Resource, how: Use, uses: &mut Uses) -> Result<ResourceAny> {
        self.check_instance(handle)?;
        let Some(held) = self.live.get(&handle.number) else {
            return Err(invalid("the handle is no longer valid: its resource was dropped or passed to the guest"));
        };
        if held.ty != ty.number {
            return Err(invalid(&format!("the handle is of another type than {ty}")));
        }
        uses.add(handle.number, how)?;
        Ok(held.resource)
    }

    /// Forgets the resources that a call passes to the guest.
    pub(super) fn give_away(&mut self, uses: &Uses) {
        for (number, _) in uses.0.iter().filter(|(_, how)| *how == Use::Own) {
            self.live.remove(number);
        }
    }

    /// Takes out a resource; returns `None` if it was dropped or passed to the guest.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the handle belongs to another instance.
    pub(super) fn take(&mut self, handle: ResourceHandle) -> Result<Option<ResourceAny>> {
        self.check_instance(handle)?;
        Ok(self.live.remove(&handle.number).map(|held| held.resource))
    }

    fn check_instance(&self, handle: ResourceHandle) -> Result<()> {
        if handle.instance == self.instance {
            return Ok(());
        }
        Err(invalid("the handle belongs to another instance"))
    }
}

impl Uses {
    /// Adds a use. A resource whose ownership passes to the guest can be used only once in a call.
    fn add(&mut self, number: u64, how: Use) -> Result<()> {
        let conflicts = |(other, used): &(u64, Use)| *other == number && (how == Use::Own || *used == Use::Own);
        if self.0.iter().any(conflicts) {
            return Err(invalid("the call uses the resource twice and passes its ownership to the guest"));
        }
        self.0.push((number, how));
        Ok(())
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
