//! The guest's stack as text.

use std::fmt::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cpp_demangle::{DemangleOptions, Symbol};
use wrun::Frame;

/// The maximum length in bytes of a name to demangle, and of the result. With backreferences, a short symbol can expand to
/// gigabytes.
const MAX_BYTES: usize = 4096;

/// The time limit for demangling the names of one backtrace. A guest can choose names that take exponential time.
const MAX_TIME: Duration = Duration::from_millis(500);

/// The stack for demangling. The parser of C++ names limits its recursion, but needs more than a thread's 2 MiB in debug
/// builds.
const STACK_BYTES: usize = 8 << 20;

/// Formats frames, one per line. Demangles the names of Rust and C++ functions, within the time limit.
pub(crate) fn lines(frames: &[Frame]) -> Vec<String> {
    let symbol = |frame: &Frame| frame.function.clone().filter(|name| name.starts_with("_Z") || name.starts_with("_R"));
    let symbols: Vec<_> = frames.iter().map(symbol).collect();
    let (sender, names) = mpsc::channel();
    if symbols.iter().any(Option::is_some) {
        let demangle_all =
            move || symbols.iter().try_for_each(|symbol| sender.send(symbol.as_deref().and_then(demangle)));
        // Without a thread, the names stay mangled.
        let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn(demangle_all);
    } else {
        drop(sender);
    }
    let deadline = Instant::now() + MAX_TIME;
    let line = |frame: &Frame| {
        let name = names.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok().flatten();
        let name = name.or_else(|| frame.function.clone());
        Frame::new(frame.function_index, name, frame.offset).to_string()
    };
    frames.iter().map(line).collect()
}

/// Demangles a Rust or C++ symbol. Returns `None` for any other name.
fn demangle(symbol: &str) -> Option<String> {
    if symbol.len() > MAX_BYTES {
        return None;
    }
    let mut name = Limited(String::new());
    match rustc_demangle::try_demangle(symbol) {
        // Leave out the hash at the end.
        Ok(demangled) => write!(name, "{demangled:#}").ok()?,
        Err(_) => Symbol::new(symbol).ok()?.structured_demangle(&mut name, &DemangleOptions::new()).ok()?,
    }
    Some(name.0)
}

/// A string of at most [`MAX_BYTES`].
struct Limited(String);

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> Frame {
        Frame::new(1, Some(name.to_owned()), Some(16))
    }

    #[test]
    fn names_of_rust_and_cpp_are_shown_as_in_the_source() {
        for (symbol, name) in [
            ("_ZN3std9panicking11begin_panic17h0123456789abcdefE", "std::panicking::begin_panic"),
            ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
            ("_ZN5space3fooEibc", "space::foo(int, bool, char)"),
            ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)"),
        ] {
            assert_eq!(demangle(symbol).as_deref(), Some(name));
            assert_eq!(lines(&[frame(symbol)]), [format!("{name} @ 0x10")]);
        }
    }

    #[test]
    fn other_names_stay() {
        for name in ["", "main", "_Z", "_ZN", "_R", "std::vector<int>", "_ZZZZZZ", "_Größe"] {
            assert_eq!(demangle(name), None, "{name}");
        }
        let mixed = [Frame::new(1, None, None), frame("_ZN4test4mainEv"), frame("main")];
        assert_eq!(lines(&mixed), ["func[1]", "test::main() @ 0x10", "main @ 0x10"]);
    }

    #[test]
    fn a_name_of_exponential_length_stays() {
        // The type after `Pair<int, int>` is a pair of that, and so on.
        let pairs = |count: u32| {
            let more: String = (0..count).map(|n| format!("S_IS{n}_S{n}_E", n = base_36(n))).collect();
            demangle(&format!("_Z1f4PairIiiE{more}"))
        };
        assert_eq!(pairs(1).as_deref(), Some("f(Pair<int, int>, Pair<Pair<int, int>, Pair<int, int> >)"));
        assert_eq!(pairs(60), None);
        assert_eq!(demangle(&format!("_Z{MAX_BYTES}{}v", "a".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn a_name_that_takes_long_to_parse_stays() {
        let slow = format!("_Z1fIDT{}{}", "nw".repeat(40), "DtT_".repeat(40));
        let since = Instant::now();
        assert_eq!(lines(&[frame("_ZN1a1bEv"), frame(&slow)]), ["a::b() @ 0x10", &format!("{slow} @ 0x10")]);
        assert!(since.elapsed() < Duration::from_secs(30));
    }

    fn base_36(n: u32) -> String {
        let digit = |n| char::from_digit(n, 36).unwrap().to_ascii_uppercase();
        if n < 36 { digit(n).to_string() } else { format!("{}{}", digit(n / 36), digit(n % 36)) }
    }
}
