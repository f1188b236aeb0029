//! What runs before the C library's own beginning, where the program is linked whole (build.rs). Such a program
//! relocates itself first of all, which writes to each page of the tables of addresses. Here they are asked for at once, with the rest
//! of what lies between `_etext` and `_end`, which takes less than a fault for each. A kernel before 5.14 refuses, and they fault.
#![expect(unsafe_code, reason = "there is nothing yet to run but instructions")]

std::arch::global_asm!(
    ".pushsection .text.wrun_start, \"ax\", @progbits",
    ".globl wrun_start",
    ".type wrun_start, @function",
    "wrun_start:",
    "mov rbx, rdx", // the one register that the C library looks at
    "lea rdi, [rip + _etext + {page} - 1]",
    "and rdi, -{page}",
    "lea rsi, [rip + _end]",
    "sub rsi, rdi",
    "mov edx, {populate_write}",
    "mov eax, {madvise}",
    "syscall",
    "mov rdx, rbx",
    "jmp _start",
    ".size wrun_start, . - wrun_start",
    ".popsection",
    page = const 4096,
    populate_write = const libc::MADV_POPULATE_WRITE,
    madvise = const libc::SYS_madvise,
);
