use std::fs;
use std::io::SeekFrom;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use tempfile::TempDir;
use virtual_fs::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::*;
use crate::error::ErrorKind;

type Opened = Box<dyn VirtualFile + Send + Sync>;

fn path(text: &str) -> &Path {
    Path::new(text)
}

/// Folders on the host, and what is granted of them: guest path, folder, access.
pub(super) fn granted(dirs: &[(&str, &str, &str)]) -> (TempDir, GrantedFiles) {
    let root = tempfile::tempdir().unwrap();
    let grants: Vec<_> = dirs
        .iter()
        .map(|(guest, host, access)| {
            fs::create_dir_all(root.path().join(host)).unwrap();
            let grant = DirGrant::new(root.path().join(host), *guest);
            if *access == "ro" { grant.read_only() } else { grant }
        })
        .collect();
    let files = file_system(&grants).unwrap();
    (root, files)
}

/// The options by their letters: read, write, append, truncate, create, and create (x) only what is new.
pub(super) fn opened(files: &dyn FileSystem, at: &Path, options: &str) -> FsResult<Opened> {
    let has = |option| options.contains(option);
    let mut open = files.new_open_options();
    open.read(has('r')).write(has('w')).append(has('a')).truncate(has('t')).create(has('c')).create_new(has('x'));
    open.open(at)
}

pub(super) fn read(file: &mut Opened) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).now_or_never().expect("it does not wait")?;
    Ok(bytes)
}

pub(super) fn write(file: &mut Opened, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes).now_or_never().expect("it does not wait")
}

fn seek(file: &mut Opened, to: SeekFrom) -> std::io::Result<u64> {
    file.seek(to).now_or_never().expect("it does not wait")
}

pub(super) fn rename(files: &dyn FileSystem, from: &Path, to: &Path) -> FsResult<()> {
    files.rename(from, to).now_or_never().expect("it does not wait")
}

fn contents(files: &dyn FileSystem, at: &str) -> String {
    String::from_utf8(read(&mut opened(files, path(at), "r").unwrap()).unwrap()).unwrap()
}

/// What a folder lists, with what each is.
fn listed(files: &dyn FileSystem, at: &str) -> Vec<String> {
    let entries = files.read_dir(path(at)).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let kind = match entry.file_type().unwrap() {
            kind if kind.is_dir() => "dir",
            kind if kind.is_file() => "file",
            kind if kind.is_symlink() => "link",
            kind if kind.is_fifo() => "pipe",
            _ => "other",
        };
        format!("{} {kind}", entry.path.display())
    });
    entries.collect()
}

#[test]
fn a_file_is_made_written_and_read() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    let mut file = opened(&files, path("/d/f"), "rwx").unwrap();
    write(&mut file, b"abcdef").unwrap();
    assert_eq!(seek(&mut file, SeekFrom::Start(2)).unwrap(), 2);
    write(&mut file, b"CD").unwrap();
    assert_eq!(read(&mut file).unwrap(), b"ef");
    assert_eq!(seek(&mut file, SeekFrom::End(-1)).unwrap(), 5);
    assert_eq!(seek(&mut file, SeekFrom::Current(-4)).unwrap(), 1);
    assert_eq!(read(&mut file).unwrap(), b"bCDef");
    assert!(seek(&mut file, SeekFrom::Current(-7)).is_err(), "before the start");
    assert!(seek(&mut file, SeekFrom::Start(u64::MAX)).is_err(), "past all there can be");
    assert_eq!(file.size(), 6);
    file.set_len(3).unwrap();
    assert_eq!(fs::read(root.path().join("d/f")).unwrap(), b"abC");
    assert_eq!(opened(&files, path("/d/f"), "rwx").unwrap_err(), FsError::AlreadyExists);
    drop(opened(&files, path("/d/f"), "wt").unwrap());
    assert_eq!(contents(&files, "/d/f"), "");
}

#[test]
fn what_is_appended_goes_to_the_end_wherever_that_is_by_now() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    let mut file = opened(&files, path("/d/log"), "rac").unwrap();
    write(&mut file, b"one").unwrap();
    fs::write(root.path().join("d/log"), "more than one").unwrap();
    seek(&mut file, SeekFrom::Start(0)).unwrap();
    write(&mut file, b"!").unwrap();
    assert_eq!(contents(&files, "/d/log"), "more than one!");
    assert_eq!(seek(&mut file, SeekFrom::Current(0)).unwrap(), 14);
}

#[test]
fn a_file_does_only_what_it_was_opened_for() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    fs::write(root.path().join("d/f"), "kept").unwrap();
    let mut file = opened(&files, path("/d/f"), "r").unwrap();
    assert_eq!(write(&mut file, b"x").unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(file.set_len(0).unwrap_err(), FsError::PermissionDenied);
    let mut file = opened(&files, path("/d/f"), "w").unwrap();
    assert_eq!(read(&mut file).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(contents(&files, "/d/f"), "kept");
}

#[test]
fn offsets_are_of_64_bits() {
    let (_root, files) = granted(&[("/d", "d", "rw")]);
    let mut file = opened(&files, path("/d/f"), "rwc").unwrap();
    seek(&mut file, SeekFrom::Start(5 << 30)).unwrap();
    write(&mut file, b"far").unwrap();
    assert_eq!(file.size(), (5 << 30) + 3);
    assert_eq!(files.metadata(path("/d/f")).unwrap().len(), (5 << 30) + 3);
    seek(&mut file, SeekFrom::End(-3)).unwrap();
    assert_eq!(read(&mut file).unwrap(), b"far");
}

#[test]
fn times_are_told_in_nanoseconds_and_set() {
    let (_root, files) = granted(&[("/d", "d", "rw")]);
    let before = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let mut file = opened(&files, path("/d/f"), "wc").unwrap();
    let second = 1_000_000_000;
    let near = |time: u64| time.abs_diff(before) < 60 * second;
    let found = files.metadata(path("/d/f")).unwrap();
    assert!(near(found.modified) && near(found.accessed) && near(found.created), "{found:?} at {before}");
    file.set_times(Some(7 * second + 1), None).unwrap();
    file.set_times(None, Some(8 * second + 2)).unwrap();
    assert_eq!((file.last_accessed(), file.last_modified()), (7 * second + 1, 8 * second + 2));
    let found = files.metadata(path("/d/f")).unwrap();
    assert_eq!((found.accessed, found.modified), (7 * second + 1, 8 * second + 2));
    assert!(near(file.created_time()));
}

#[test]
fn folders_are_made_listed_and_removed() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    files.create_dir(path("/d/sub")).unwrap();
    fs::write(root.path().join("d/f"), "12345").unwrap();
    symlink("f", root.path().join("d/l")).unwrap();
    assert_eq!(listed(&files, "/d"), ["/d/f file", "/d/l link", "/d/sub dir"]);
    assert_eq!(files.metadata(path("/d/f")).unwrap().len(), 5);
    fs::write(root.path().join("d/sub/f"), "").unwrap();
    assert_eq!(files.remove_dir(path("/d/sub")).unwrap_err(), FsError::DirectoryNotEmpty);
    files.remove_file(path("/d/sub/f")).unwrap();
    files.remove_dir(path("/d/sub")).unwrap();
    assert_eq!(listed(&files, "/d"), ["/d/f file", "/d/l link"]);
}

#[test]
fn what_cannot_be_done_says_why() {
    let (root, files) = granted(&[("/d", "d", "rw"), ("/r", "r", "ro"), ("/x/y", "y", "rw")]);
    for folder in ["d", "r"] {
        fs::create_dir(root.path().join(folder).join("sub")).unwrap();
        fs::write(root.path().join(folder).join("f"), "").unwrap();
    }
    symlink(root.path().join("d/f"), root.path().join("d/abs")).unwrap();
    symlink("../r/f", root.path().join("d/out")).unwrap();
    let open = |at, options| opened(&files, path(at), options).map(drop);
    let long = format!("/d/{}", "n".repeat(300));
    let told = [
        ("absent", open("/d/none", "r"), FsError::EntryNotFound),
        ("in what is absent", open("/d/none/f", "wc"), FsError::EntryNotFound),
        ("next to the grants", open("/none", "r"), FsError::EntryNotFound),
        ("made next to the grants", open("/none", "wc"), FsError::PermissionDenied),
        ("made on the way to one", files.create_dir(path("/x/z")), FsError::PermissionDenied),
        ("made in what is absent", files.create_dir(path("/none/z")), FsError::EntryNotFound),
        ("a folder", open("/d/sub", "r"), FsError::NotAFile),
        ("a folder to write", open("/d/sub", "rw"), FsError::NotAFile),
        ("a grant", open("/d", "r"), FsError::NotAFile),
        ("the root", open("/", "r"), FsError::NotAFile),
        ("in a file", open("/d/f/x", "r"), FsError::BaseNotDirectory),
        ("a name too long", open(&long, "wc"), FsError::InvalidInput),
        ("a NUL", open("/d/a\0b", "wc"), FsError::InvalidInput),
        ("no options", open("/d/f", ""), FsError::InvalidInput),
        ("truncated unwritten", open("/d/f", "rt"), FsError::InvalidInput),
        ("written, read-only", open("/r/f", "rw"), FsError::PermissionDenied),
        ("a folder listed that is none", files.read_dir(path("/d/f")).map(drop), FsError::BaseNotDirectory),
        ("a link read that is none", files.readlink(path("/d/f")).map(drop), FsError::InvalidInput),
        ("a folder removed as a file", files.remove_file(path("/d/sub")), FsError::NotAFile),
        ("a file removed as a folder", files.remove_dir(path("/d/f")), FsError::BaseNotDirectory),
        ("a grant removed", files.remove_dir(path("/d")), FsError::PermissionDenied),
        ("the way to a grant removed", files.remove_dir(path("/x")), FsError::PermissionDenied),
        ("a grant renamed", rename(&files, path("/d"), path("/x/z")), FsError::PermissionDenied),
        ("a grant replaced", rename(&files, path("/d/sub"), path("/x/y")), FsError::PermissionDenied),
        ("out of the grants", rename(&files, path("/d/f"), path("/f")), FsError::PermissionDenied),
        ("to another grant", rename(&files, path("/d/f"), path("/x/y/f")), FsError::Unsupported),
        ("to a read-only one", rename(&files, path("/d/f"), path("/r/g")), FsError::PermissionDenied),
        ("from a read-only one", rename(&files, path("/r/f"), path("/d/g")), FsError::PermissionDenied),
        ("into itself", rename(&files, path("/d/sub"), path("/d/sub/x")), FsError::InvalidInput),
        ("made again", files.create_dir(path("/d/sub")), FsError::AlreadyExists),
        ("a grant made again", files.create_dir(path("/x/y")), FsError::AlreadyExists),
        ("a link to an absolute path", files.create_symlink(path("/d/f"), path("/d/l")), FsError::PermissionDenied),
        ("by a link to one", open("/d/abs", "r"), FsError::PermissionDenied),
        ("of a link to one", files.metadata(path("/d/abs")).map(drop), FsError::PermissionDenied),
        ("where a link to one leads", files.readlink(path("/d/abs")).map(drop), FsError::PermissionDenied),
        ("by a link that leads out", open("/d/out", "r"), FsError::PermissionDenied),
        ("made by a link that leads out", open("/d/out", "wc"), FsError::PermissionDenied),
        ("a second name", files.hard_link(path("/d/f"), path("/d/g")), FsError::PermissionDenied),
    ];
    for (what, got, expected) in told {
        assert_eq!(got, Err(expected), "{what}");
    }
}

#[test]
fn a_file_that_is_removed_or_renamed_stays_open() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    let on_host = |name: &str| fs::read_to_string(root.path().join("d").join(name)).ok();
    let mut file = opened(&files, path("/d/f"), "rwc").unwrap();
    write(&mut file, b"first").unwrap();
    rename(&files, path("/d/f"), path("/d/g")).unwrap();
    write(&mut opened(&files, path("/d/f"), "wc").unwrap(), b"second").unwrap();
    write(&mut file, b"!").unwrap();
    assert_eq!((on_host("f").unwrap(), on_host("g").unwrap()), ("second".to_owned(), "first!".to_owned()));
    files.create_dir(path("/d/sub")).unwrap();
    rename(&files, path("/d/g"), path("/d/sub/g")).unwrap();
    rename(&files, path("/d/sub"), path("/d/other")).unwrap();
    file.unlink().unwrap();
    assert_eq!(on_host("f").unwrap(), "second", "another file has the name it once had");
    assert_eq!(on_host("other/g"), None);
    seek(&mut file, SeekFrom::Start(0)).unwrap();
    assert_eq!(read(&mut file).unwrap(), b"first!");
    assert_eq!(file.unlink().unwrap_err(), FsError::EntryNotFound);
    let mut replaced = opened(&files, path("/d/f"), "r").unwrap();
    write(&mut opened(&files, path("/d/h"), "wc").unwrap(), b"third").unwrap();
    rename(&files, path("/d/h"), path("/d/f")).unwrap();
    assert_eq!(read(&mut replaced).unwrap(), b"second");
    assert_eq!(on_host("f").unwrap(), "third");
}

#[test]
fn guest_paths_are_of_one_root_however_they_are_written() {
    let (root, files) = granted(&[("data", "one", "rw"), ("./a/b/", "two", "ro"), ("/a/b/c/d", "three", "rw")]);
    for (folder, file) in [("one", "in_one"), ("two", "in_two"), ("three", "in_three")] {
        fs::write(root.path().join(folder).join(file), file).unwrap();
    }
    assert_eq!(listed(&files, "/"), ["/a dir", "/data dir"]);
    assert_eq!(listed(&files, "/a"), ["/a/b dir"]);
    assert_eq!(listed(&files, "/a/b"), ["/a/b/c dir", "/a/b/in_two file"], "the way to a grant within a grant");
    assert_eq!(listed(&files, "a/b/c"), ["/a/b/c/d dir"]);
    assert_eq!(listed(&files, "/a/b/c/d"), ["/a/b/c/d/in_three file"]);
    assert!(files.symlink_metadata(path("/a/b/c")).unwrap().is_dir());
    for at in ["/data/in_one", "data/in_one", "./data/../data//in_one", "/../data/in_one", "/a/b/../../data/in_one"] {
        assert_eq!(contents(&files, at), "in_one", "{at}");
    }
    opened(&files, path("/a/b/c/d/new"), "wc").unwrap();
    assert_eq!(opened(&files, path("/a/b/new"), "wc").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(opened(&files, path("/a/b/c/new"), "wc").unwrap_err(), FsError::PermissionDenied);

    fs::create_dir(root.path().join("two/c")).unwrap();
    fs::write(root.path().join("two/c/under"), "").unwrap();
    assert_eq!(listed(&files, "/a/b/c"), ["/a/b/c/d dir", "/a/b/c/under file"], "the host has a folder there, too");
    fs::remove_dir_all(root.path().join("two/c")).unwrap();
    symlink(".", root.path().join("two/c")).unwrap();
    assert_eq!(listed(&files, "/a/b/c"), ["/a/b/c/d dir"], "but no link takes its place");
    assert!(files.symlink_metadata(path("/a/b/c")).unwrap().is_dir());
}

#[test]
fn a_grant_can_be_the_root_itself() {
    for guest in [".", "/", "./"] {
        let (root, files) = granted(&[(guest, "root", "rw"), ("/in", "in", "ro")]);
        fs::write(root.path().join("root/f"), "text").unwrap();
        assert_eq!(listed(&files, "/"), ["/f file", "/in dir"], "{guest}");
        assert_eq!(contents(&files, "/in/../f"), "text", "{guest}");
        assert_eq!(contents(&files, "f"), "text", "{guest}");
        assert_eq!(opened(&files, path("/../f2"), "wc").map(drop), Ok(()), "{guest}");
        assert_eq!(files.remove_dir(path("/")).unwrap_err(), FsError::PermissionDenied);
    }
}

#[test]
fn one_folder_is_granted_twice_with_different_access() {
    let (_root, files) = granted(&[("/r", "d", "ro"), ("/w", "d", "rw")]);
    write(&mut opened(&files, path("/w/f"), "wc").unwrap(), b"text").unwrap();
    assert_eq!(contents(&files, "/r/f"), "text");
    assert_eq!(opened(&files, path("/r/f"), "w").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(opened(&files, path("/w/../r/f"), "w").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(rename(&files, path("/w/f"), path("/r/f")), Err(FsError::PermissionDenied));
}

#[test]
fn grants_that_are_one_from_the_root_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = |guests: &[&str]| {
        let grants: Vec<_> = guests.iter().map(|guest| DirGrant::new(root.path(), *guest)).collect();
        let error = file_system(&grants).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Grant);
        error.to_string()
    };
    assert!(refused(&["/data", "data"]).contains("two folders are granted as `/data`"));
    assert!(refused(&[".", "/"]).contains("two folders are granted as `/`"));
    assert!(refused(&["/data/../x"]).contains("`/data/../x` is no guest path"));
    let gone = DirGrant::new(root.path().join("none"), "/d");
    assert_eq!(file_system(&[gone]).unwrap_err().kind(), ErrorKind::Grant);
}

#[test]
fn nothing_granted_is_an_empty_root() {
    let (_root, files) = granted(&[]);
    assert_eq!(listed(&files, "/"), [""; 0]);
    assert!(files.metadata(path("/")).unwrap().is_dir());
    assert_eq!(opened(&files, path("/etc/passwd"), "r").unwrap_err(), FsError::EntryNotFound);
    assert_eq!(opened(&files, path("/f"), "wc").unwrap_err(), FsError::PermissionDenied);
}

#[test]
fn links_within_a_grant_are_followed() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    fs::create_dir(root.path().join("d/sub")).unwrap();
    fs::write(root.path().join("d/f"), "text").unwrap();
    files.create_symlink(path("../f"), path("/d/sub/l")).unwrap();
    assert_eq!(fs::read_link(root.path().join("d/sub/l")).unwrap(), path("../f"));
    assert_eq!(files.readlink(path("/d/sub/l")).unwrap(), path("../f"));
    assert_eq!(contents(&files, "/d/sub/l"), "text");
    assert!(files.metadata(path("/d/sub/l")).unwrap().is_file());
    assert!(files.symlink_metadata(path("/d/sub/l")).unwrap().file_type().is_symlink());
    assert_eq!(files.create_symlink(path("x"), path("/d/sub/l")).unwrap_err(), FsError::AlreadyExists);
    rename(&files, path("/d/sub/l"), path("/d/sub/m")).unwrap();
    assert_eq!(contents(&files, "/d/sub/m"), "text");
    assert_eq!(rename(&files, path("/d/sub/m"), path("/d/m")).unwrap_err(), FsError::PermissionDenied);
    assert_eq!(contents(&files, "/d/sub/m"), "text", "it is not where it would lead nowhere");
    files.remove_file(path("/d/sub/m")).unwrap();
    assert_eq!(contents(&files, "/d/f"), "text");
}

#[test]
fn what_is_no_regular_file_is_opened_for_nobody_and_nobody_waits_for_it() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    assert!(Command::new("mkfifo").arg(root.path().join("d/pipe")).status().unwrap().success());
    assert_eq!(listed(&files, "/d"), ["/d/pipe pipe"]);
    for options in ["r", "rw", "rwct"] {
        assert_eq!(opened(&files, path("/d/pipe"), options).unwrap_err(), FsError::PermissionDenied, "{options}");
    }
}

#[test]
fn many_threads_use_it_at_once() {
    let (root, files) = granted(&[("/d", "d", "rw")]);
    thread::scope(|scope| {
        for thread in 0..8 {
            let files = &files;
            scope.spawn(move || {
                let at = |round: usize, state: &str| PathBuf::from(format!("/d/{thread}-{round}-{state}"));
                for round in 0..100 {
                    let mut file = opened(files, &at(round, "new"), "rwx").unwrap();
                    write(&mut file, at(round, "").as_os_str().as_encoded_bytes()).unwrap();
                    rename(files, &at(round, "new"), &at(round, "old")).unwrap();
                    let mut again = opened(files, &at(round, "old"), "r").unwrap();
                    assert_eq!(read(&mut again).unwrap(), at(round, "").as_os_str().as_encoded_bytes());
                    if round % 2 == 0 {
                        file.unlink().unwrap();
                    }
                    files.read_dir(path("/d")).unwrap();
                }
            });
        }
    });
    assert_eq!(fs::read_dir(root.path().join("d")).unwrap().count(), 8 * 50);
}
