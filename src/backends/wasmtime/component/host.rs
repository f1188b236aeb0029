//! Functions of the embedder that a component imports.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Val};

use super::super::fuel;
use super::data::ComponentData;
use super::{convert, embedder_runtime};
use crate::component::types::{Name, WitFunction};
use crate::error::Result;
use crate::escape::Escaped;
use crate::runtime::component_host::ComponentFunction;
use crate::runtime::host::{HostError, HostFailure, InterruptToken};

/// A function of the embedder, with the type that the component imports.
#[derive(Clone)]
pub(super) struct LinkedFunction {
    pub(super) name: Name,
    pub(super) ty: WitFunction,
    pub(super) body: Arc<ComponentFunction>,
}

impl LinkedFunction {
    /// Defines the function in an instance of the linker.
    pub(super) fn define(&self, instance: &mut LinkerInstance<'_, ComponentData>) -> wasmtime::Result<()> {
        let function = self.clone();
        if self.ty.is_async() {
            return function.define_async(instance);
        }
        instance.func_new(&self.name, move |store, _, params, results| function.call(store, params, results))
    }

    #[cfg(feature = "wasi-p3")]
    fn define_async(self, instance: &mut LinkerInstance<'_, ComponentData>) -> wasmtime::Result<()> {
        use wasmtime::AsContextMut as _;
        let name = Arc::clone(&self.name);
        instance.func_new_concurrent(&name, move |accessor, _, params, results| {
            let function = self.clone();
            Box::pin(async move { accessor.with(|mut access| function.call(access.as_context_mut(), params, results)) })
        })
    }

    #[cfg(not(feature = "wasi-p3"))]
    #[expect(clippy::unused_self, reason = "the signature is that of the other build")]
    fn define_async(self, _: &mut LinkerInstance<'_, ComponentData>) -> wasmtime::Result<()> {
        wasmtime::bail!("this build has no asynchronous functions")
    }

    fn call(
        &self,
        store: StoreContextMut<'_, ComponentData>,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        store.data().guest.status.check_interrupt()?;
        fuel::check_host_call(&store)?;
        let result = self.call_body(store, params).map_err(|error| wasmtime::Error::new(HostFailure(error)))?;
        if let (Some(slot), Some(result)) = (results.first_mut(), result) {
            *slot = result;
        }
        Ok(())
    }

    fn call_body(
        &self,
        mut store: StoreContextMut<'_, ComponentData>,
        params: &[Val],
    ) -> Result<Option<Val>, HostError> {
        let token = InterruptToken::new(&store.data().guest.status);
        let resources = &mut store.data_mut().resources;
        let types = self.ty.params().iter().map(|(_, ty)| ty);
        let args = params.iter().zip(types).map(|(val, ty)| convert::from_val(resources, val.clone(), ty));
        let args = args.collect::<Result<Vec<_>>>()?;
        let returned = embedder_runtime::run(|| (self.body)(&token, &args))?;
        match (self.ty.result(), &returned) {
            (None, None) => Ok(None),
            (Some(ty), Some(value)) => match convert::host_result(value, ty) {
                Ok(val) => Ok(Some(val)),
                Err(_) => Err(self.wrong_result(&format!("{value:?}"))),
            },
            (_, None) => Err(self.wrong_result("nothing")),
            (_, Some(value)) => Err(self.wrong_result(&format!("{value:?}"))),
        }
    }

    #[cold]
    fn wrong_result(&self, returned: &str) -> HostError {
        format!("the host function `{}` returned {returned}, but its type is {}", Escaped(&self.name), self.ty).into()
    }
}
