//! The imports of WASIX modules, which Wasmer implements: the names and types of the functions, and the shared memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::function::WasiFunction;
use super::preview1;
use crate::capabilities::Capabilities;
use crate::module::info::{ExternType, Import};
use crate::module::requirements;
use crate::runtime::host::{HostImports, HostItem, Wasix};
use crate::runtime::preflight::wasix::MEMORY;
use crate::value::types::{FuncType, ValType};

/// Adds the `missing` imports that belong to WASIX to the host's. The preview 1 imports of the module become WASIX functions
/// too, so that both share file descriptors.
pub(super) fn provide<'i>(
    missing: impl Iterator<Item = &'i Import>,
    capabilities: &Capabilities,
    mut imports: HostImports,
) -> HostImports {
    let (mut functions, mut memory) = (BTreeMap::new(), None);
    for import in missing {
        let (module, name) = (&*import.module, &*import.name);
        match (&import.ty, find(module, name)) {
            (ExternType::Memory(ty), None) if (module, name) == MEMORY => memory = Some(HostItem::Memory(*ty)),
            (_, Some(function)) => {
                functions.insert((module.to_owned(), name.to_owned()), function);
            }
            _ => {}
        }
    }
    imports.wasix = Some(Arc::new(Wasix { capabilities: capabilities.clone(), functions }));
    match memory {
        Some(memory) => imports.with(MEMORY.0, MEMORY.1, memory),
        None => imports,
    }
}

/// Returns the type of the WASIX function with this module and name.
fn find(module: &str, name: &str) -> Option<FuncType> {
    if requirements::is_wasix(module, name) && module != "wasix_32v1" {
        return Some(FuncType::new([ValType::I32], [ValType::I32]));
    }
    if module != "wasix_32v1" {
        return preview1::find(module, name).map(WasiFunction::ty);
    }
    let signature = |text: &str| Some(types(text.strip_prefix(name)?.strip_prefix('(')?));
    let (params, results) = FUNCTIONS.split_whitespace().find_map(signature)?;
    Some(FuncType::new(params, results))
}

/// Parses the parameter and result types from the end of a signature, such as `ii)i`.
fn types(rest: &str) -> (Vec<ValType>, Vec<ValType>) {
    let (params, results) = rest.split_once(')').unwrap_or((rest, ""));
    let ty = |letter| if letter == 'l' { ValType::I64 } else { ValType::I32 };
    (params.chars().map(ty).collect(), results.chars().map(ty).collect())
}

/// The signatures of `wasix_32v1`: name, parameters, results. `i` is i32, `l` is i64.
static FUNCTIONS: &str = "
    args_get(ii)i args_sizes_get(ii)i call_dynamic(iiiiii)i callback_signal(ii) chdir(ii)i clock_res_get(ii)i
    clock_time_get(ili)i clock_time_set(il)i closure_allocate(i)i closure_free(i)i closure_prepare(iiiiiii)i
    context_create(ii)i context_destroy(l)i context_switch(l)i dl_invalid_handle(i)i dlopen(iiiiiiii)i
    dlsym(iiiiii)i environ_get(ii)i environ_sizes_get(ii)i epoll_create(i)i epoll_ctl(iiii)i epoll_wait(iiili)i
    fd_advise(illi)i fd_allocate(ill)i fd_close(i)i fd_datasync(i)i fd_dup(ii)i fd_dup2(iiii)i fd_event(lii)i
    fd_fdflags_get(ii)i fd_fdflags_set(ii)i fd_fdstat_get(ii)i fd_fdstat_set_flags(ii)i fd_fdstat_set_rights(ill)i
    fd_filestat_get(ii)i fd_filestat_set_size(il)i fd_filestat_set_times(illi)i fd_pipe(ii)i fd_pread(iiili)i
    fd_prestat_dir_name(iii)i fd_prestat_get(ii)i fd_pwrite(iiili)i fd_read(iiii)i fd_readdir(iiili)i
    fd_renumber(ii)i fd_seek(ilii)i fd_sync(i)i fd_tell(ii)i fd_write(iiii)i futex_wait(iiii)i futex_wake(ii)i
    futex_wake_all(ii)i getcwd(ii)i path_create_directory(iii)i path_filestat_get(iiiii)i
    path_filestat_set_times(iiiilli)i path_link(iiiiiii)i path_open(iiiiillii)i path_open2(iiiiilliii)i
    path_readlink(iiiiii)i path_remove_directory(iii)i path_rename(iiiiii)i path_symlink(iiiii)i
    path_unlink_file(iii)i poll_oneoff(iiii)i port_addr_add(i)i port_addr_clear()i port_addr_list(ii)i
    port_addr_remove(i)i port_bridge(iiiii)i port_dhcp_acquire()i port_gateway_set(i)i port_mac(i)i
    port_route_add(iiii)i port_route_clear()i port_route_list(ii)i port_route_remove(i)i port_unbridge()i
    proc_exec(iiii) proc_exec2(iiiiii) proc_exec3(iiiiiiiii)i proc_exec4(iiiiiiiii)i proc_exit(i) proc_exit2(i)
    proc_fork(ii)i proc_fork_env(i)i proc_id(i)i proc_join(iii)i proc_parent(ii)i proc_raise(i)i
    proc_raise_interval(ili)i proc_signal(ii)i proc_signals_get(i)i proc_signals_sizes_get(i)i proc_snapshot()i
    proc_spawn(iiiiiiiiiiiii)i proc_spawn2(iiiiiiiiiiiiii)i proc_spawn3(iiiiiiiiiiiiii)i random_get(ii)i
    reflect_signature(iiiiii)i resolve(iiiiii)i sched_yield()i sock_accept(iiii)i sock_accept_v2(iiii)i
    sock_addr_local(ii)i sock_addr_peer(ii)i sock_bind(ii)i sock_connect(ii)i sock_get_opt_flag(iii)i
    sock_get_opt_size(iii)i sock_get_opt_time(iii)i sock_join_multicast_v4(iii)i sock_join_multicast_v6(iii)i
    sock_leave_multicast_v4(iii)i sock_leave_multicast_v6(iii)i sock_listen(ii)i sock_open(iiii)i sock_pair(iiiii)i
    sock_recv(iiiiii)i sock_recv_from(iiiiiii)i sock_send(iiiii)i sock_send_file(iilli)i sock_send_to(iiiiii)i
    sock_set_opt_flag(iii)i sock_set_opt_size(iil)i sock_set_opt_time(iii)i sock_shutdown(ii)i sock_status(ii)i
    stack_checkpoint(ii)i stack_restore(il) thread_exit(i) thread_id(i)i thread_join(i)i thread_parallelism(i)i
    thread_signal(ii)i thread_sleep(l)i thread_spawn(ii)i thread_spawn_v2(ii)i tty_get(i)i tty_set(i)i
";
