//! The state of WASI 0.2 and 0.3 for one instance of a component.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

use super::http::{MAX_FIELD_BYTES, Requests};
use super::random::RandomState;
use super::sockets::{self, TcpClaims};
use crate::capabilities::Capabilities;
use crate::error::Result;
use crate::network::{Firewall, SocketClaim};
use crate::runtime::host::InterruptToken;
use crate::wasi::builder;
#[cfg(feature = "wasi-p3")]
use crate::wasi::builder::SharedOutput;

/// The maximum number of handles to resources of WASI that a component has at a time: files, streams, sockets, pollables.
const MAX_RESOURCES: usize = 1 << 14;

/// The state of WASI for one instance of a component.
pub(crate) struct ComponentWasi {
    ctx: WasiCtx,
    table: ResourceTable,
    /// The rules of the last socket.
    sockets: WasiSocketsCtx,
    tcp: TcpClaims,
    firewall: Arc<Firewall>,
    #[cfg(feature = "wasi-p3")]
    stdout: SharedOutput,
    random: RandomState,
    http: WasiHttpCtx,
    requests: Requests,
}

/// The data of a store that has a [`ComponentWasi`]. WASI calls it only if [`add_to_linker`](super::add_to_linker) linked an
/// interface.
pub(crate) trait HasWasi: Send + 'static {
    /// Returns the state.
    fn wasi(&mut self) -> &mut ComponentWasi;
}

impl ComponentWasi {
    /// Builds the state for a component with at most `memory` bytes of linear memory, from capabilities that
    /// [`check_grants_with_network`](crate::runtime::preflight::check_grants_with_network) accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`](crate::ErrorKind::Grant) if a granted directory cannot be opened,
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the system has no random numbers.
    pub(crate) fn new(
        capabilities: &Capabilities,
        memory: Option<u64>,
        interrupt_token: InterruptToken,
    ) -> Result<Self> {
        let stdout = builder::stdout(capabilities)?;
        let mut builder = builder::builder(capabilities, Arc::clone(&stdout))?;
        let firewall = Arc::new(Firewall::new(&capabilities.net));
        let requests = Requests::new(&firewall, interrupt_token.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELD_BYTES);
        Ok(Self {
            ctx: builder.build(),
            table,
            sockets: WasiSocketsCtx::default(),
            tcp: TcpClaims::default(),
            firewall,
            #[cfg(feature = "wasi-p3")]
            stdout,
            random: RandomState::new(capabilities.seed, memory, interrupt_token),
            http,
            requests,
        })
    }

    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(super) fn firewall(&self) -> &Arc<Firewall> {
        &self.firewall
    }

    #[cfg(feature = "wasi-p3")]
    pub(super) fn stdout(&self) -> &SharedOutput {
        &self.stdout
    }

    pub(super) fn random(&mut self) -> &mut RandomState {
        &mut self.random
    }

    pub(super) fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.requests, table: &mut self.table, ctx: &mut self.http }
    }

    /// Returns the view for a call that creates a socket, and the claim of this socket. Each socket has its own rules. Returns
    /// `None` if there are too many.
    pub(super) fn new_socket(&mut self) -> Option<(WasiSocketsCtxView<'_>, Arc<SocketClaim>)> {
        // The last socket may be gone.
        self.sockets = WasiSocketsCtx::default();
        let claim;
        (self.sockets, claim) = sockets::context(&self.firewall, &self.tcp)?;
        Some((WasiSocketsCtxView { ctx: &mut self.sockets, table: &mut self.table }, claim))
    }

    /// Returns the claims of TCP sockets.
    pub(super) fn tcp(&mut self) -> &mut TcpClaims {
        &mut self.tcp
    }
}

impl WasiView for ComponentWasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}
