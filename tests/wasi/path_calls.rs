//! Calls on paths to and through a symbolic link, with and without a trailing slash, through `fixtures/wasi/escapes/paths.wat`.

use wrun::WasmInstance;

/// The guest. Its exports take the lengths of two paths in its memory, and return an errno.
pub(crate) const GUEST: &str = include_str!("../../fixtures/wasi/escapes/paths.wat");

/// One call: an export of the guest, and its paths.
#[derive(Debug)]
pub(crate) struct PathCall {
    pub(crate) name: &'static str,
    first: String,
    second: String,
}

/// All calls on these links in the directory `dir` of the guest.
pub(crate) fn calls(dir: &str, links: &[String]) -> Vec<PathCall> {
    let mut calls = Vec::new();
    let mut call = |name, first: &str, second: &str| calls.push(PathCall::new(name, first, second));
    for link in links {
        for end in ["", "/", "/."] {
            let link = format!("{dir}{link}{end}");
            for name in ["mkdir", "rmdir", "unlink", "create", "touch", "touch_link"] {
                call(name, &link, "");
            }
            for name in ["rename", "link"] {
                call(name, &link, &format!("{dir}new"));
                for from in ["file.txt", "link_file", "sub"] {
                    call(name, &format!("{dir}{from}"), &link);
                }
            }
            call("symlink", "file.txt", &link);
        }
        // A file behind the link.
        let file = format!("{dir}{link}/x.txt");
        for name in ["unlink", "create", "touch", "rename"] {
            call(name, &file, &format!("{dir}new"));
        }
    }
    calls
}

impl PathCall {
    pub(crate) fn new(name: &'static str, first: &str, second: &str) -> Self {
        Self { name, first: first.to_owned(), second: second.to_owned() }
    }

    /// Makes the call and returns its errno.
    #[track_caller]
    pub(crate) fn run(&self, guest: &mut dyn WasmInstance) -> i32 {
        let paths = [(1024, &self.first), (2048, &self.second)];
        for (address, path) in paths {
            guest.write_memory("memory", address, path.as_bytes()).unwrap();
        }
        let lengths = paths.map(|(_, path)| i32::try_from(path.len()).unwrap());
        guest.call_simple_function(self.name, &lengths).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}
