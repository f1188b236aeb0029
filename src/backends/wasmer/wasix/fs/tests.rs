//! Operations on granted files and directories, and their errors.

use std::fs::{self, FileTimes, Permissions};
use std::io::SeekFrom;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use virtual_fs::{FileSystem, FsError};

use super::granted_fs::file_system;
use super::pretend::{rename_only_dirs, takes_only_dirs};
use super::test_support::{contents, grant, list, open, path, read, rename, seek, write};
use crate::capabilities::DirGrant;
use crate::error::ErrorKind;

#[test]
fn files_are_created_written_and_read() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    let mut file = open(&files, path("/d/f"), "rwx").unwrap();
    write(&mut file, b"abcdef").unwrap();
    assert_eq!(seek(&mut file, SeekFrom::Start(2)).unwrap(), 2);
    write(&mut file, b"CD").unwrap();
    assert_eq!(read(&mut file).unwrap(), b"ef");
    assert_eq!(seek(&mut file, SeekFrom::End(-1)).unwrap(), 5);
    assert_eq!(seek(&mut file, SeekFrom::Current(-4)).unwrap(), 1);
    assert_eq!(read(&mut file).unwrap(), b"bCDef");
    assert!(seek(&mut file, SeekFrom::Current(-7)).is_err(), "before the start");
    assert!(seek(&mut file, SeekFrom::Start(u64::MAX)).is_err(), "past the largest offset");
    assert_eq!(file.size(), 6);
    file.set_len(3).unwrap();
    assert_eq!(fs::read(root.path().join("d/f")).unwrap(), b"abC");
    assert_eq!(open(&files, path("/d/f"), "rwx").unwrap_err(), FsError::AlreadyExists);
    drop(open(&files, path("/d/f"), "wt").unwrap());
    assert_eq!(contents(&files, "/d/f"), "");
}

#[test]
fn appends_go_to_the_current_end() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    let mut file = open(&files, path("/d/log"), "rac").unwrap();
    write(&mut file, b"one").unwrap();
    fs::write(root.path().join("d/log"), "more than one").unwrap();
    seek(&mut file, SeekFrom::Start(0)).unwrap();
    write(&mut file, b"!").unwrap();
    assert_eq!(contents(&files, "/d/log"), "more than one!");
    assert_eq!(seek(&mut file, SeekFrom::Current(0)).unwrap(), 14);
}

#[test]
fn files_allow_only_what_they_were_opened_for() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    fs::write(root.path().join("d/f"), "kept").unwrap();
    let mut file = open(&files, path("/d/f"), "r").unwrap();
    assert_eq!(write(&mut file, b"x").unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(file.set_len(0).unwrap_err(), FsError::PermissionDenied);
    let mut file = open(&files, path("/d/f"), "w").unwrap();
    assert_eq!(read(&mut file).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(contents(&files, "/d/f"), "kept");
}

#[test]
fn offsets_have_64_bits() {
    let (_root, files) = grant(&[("/d", "d", "rw")]);
    let mut file = open(&files, path("/d/f"), "rwc").unwrap();
    seek(&mut file, SeekFrom::Start(5 << 30)).unwrap();
    write(&mut file, b"far").unwrap();
    assert_eq!(file.size(), (5 << 30) + 3);
    assert_eq!(files.metadata(path("/d/f")).unwrap().len(), (5 << 30) + 3);
    seek(&mut file, SeekFrom::End(-3)).unwrap();
    assert_eq!(read(&mut file).unwrap(), b"far");
}

#[test]
fn times_are_read_and_set_in_nanoseconds() {
    let (_root, files) = grant(&[("/d", "d", "rw")]);
    let before = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let mut file = open(&files, path("/d/f"), "wc").unwrap();
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
fn directories_are_created_listed_and_removed() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    files.create_dir(path("/d/sub")).unwrap();
    fs::write(root.path().join("d/f"), "12345").unwrap();
    symlink("f", root.path().join("d/l")).unwrap();
    assert_eq!(list(&files, "/d"), ["/d/f file", "/d/l link", "/d/sub dir"]);
    assert_eq!(files.metadata(path("/d/f")).unwrap().len(), 5);
    fs::write(root.path().join("d/sub/f"), "").unwrap();
    assert_eq!(files.remove_dir(path("/d/sub")).unwrap_err(), FsError::DirectoryNotEmpty);
    files.remove_file(path("/d/sub/f")).unwrap();
    files.remove_dir(path("/d/sub")).unwrap();
    assert_eq!(list(&files, "/d"), ["/d/f file", "/d/l link"]);
}

#[test]
fn failures_have_their_error() {
    let (root, files) = grant(&[("/d", "d", "rw"), ("/r", "r", "ro"), ("/x/y", "y", "rw")]);
    for dir in ["d", "r"] {
        fs::create_dir(root.path().join(dir).join("sub")).unwrap();
        fs::write(root.path().join(dir).join("f"), "").unwrap();
    }
    symlink(root.path().join("d/f"), root.path().join("d/abs")).unwrap();
    symlink("../r/f", root.path().join("d/out")).unwrap();
    let opened = |at, options| open(&files, path(at), options).map(drop);
    let long = format!("/d/{}", "n".repeat(300));
    let cases = [
        ("missing", opened("/d/none", "r"), FsError::EntryNotFound),
        ("in a missing directory", opened("/d/none/f", "wc"), FsError::EntryNotFound),
        ("outside the grants", opened("/none", "r"), FsError::EntryNotFound),
        ("created outside the grants", opened("/none", "wc"), FsError::PermissionDenied),
        ("created above a mount point", files.create_dir(path("/x/z")), FsError::PermissionDenied),
        ("created in a missing directory", files.create_dir(path("/none/z")), FsError::EntryNotFound),
        ("a directory", opened("/d/sub", "r"), FsError::NotAFile),
        ("a directory for writing", opened("/d/sub", "rw"), FsError::NotAFile),
        ("a mount point", opened("/d", "r"), FsError::NotAFile),
        ("the root", opened("/", "r"), FsError::NotAFile),
        ("in a file", opened("/d/f/x", "r"), FsError::BaseNotDirectory),
        ("a name that is too long", opened(&long, "wc"), FsError::InvalidInput),
        ("a NUL", opened("/d/a\0b", "wc"), FsError::InvalidInput),
        ("no options", opened("/d/f", ""), FsError::InvalidInput),
        ("truncated, not writable", opened("/d/f", "rt"), FsError::InvalidInput),
        ("for writing, read-only", opened("/r/f", "rw"), FsError::PermissionDenied),
        ("a file listed", files.read_dir(path("/d/f")).map(drop), FsError::BaseNotDirectory),
        ("a file read as a link", files.readlink(path("/d/f")).map(drop), FsError::InvalidInput),
        ("a directory removed as a file", files.remove_file(path("/d/sub")), FsError::NotAFile),
        ("a file removed as a directory", files.remove_dir(path("/d/f")), FsError::BaseNotDirectory),
        ("a mount point removed", files.remove_dir(path("/d")), FsError::PermissionDenied),
        ("a directory above a mount point removed", files.remove_dir(path("/x")), FsError::PermissionDenied),
        ("a mount point renamed", rename(&files, path("/d"), path("/x/z")), FsError::PermissionDenied),
        ("a mount point replaced", rename(&files, path("/d/sub"), path("/x/y")), FsError::PermissionDenied),
        ("renamed out of the grants", rename(&files, path("/d/f"), path("/f")), FsError::PermissionDenied),
        ("renamed to another grant", rename(&files, path("/d/f"), path("/x/y/f")), FsError::Unsupported),
        ("renamed to a read-only grant", rename(&files, path("/d/f"), path("/r/g")), FsError::PermissionDenied),
        ("renamed from a read-only grant", rename(&files, path("/r/f"), path("/d/g")), FsError::PermissionDenied),
        ("renamed into itself", rename(&files, path("/d/sub"), path("/d/sub/x")), FsError::InvalidInput),
        ("created twice", files.create_dir(path("/d/sub")), FsError::AlreadyExists),
        ("a mount point created", files.create_dir(path("/x/y")), FsError::AlreadyExists),
        ("an absolute link created", files.create_symlink(path("/d/f"), path("/d/l")), FsError::PermissionDenied),
        ("through an absolute link", opened("/d/abs", "r"), FsError::PermissionDenied),
        ("metadata through an absolute link", files.metadata(path("/d/abs")).map(drop), FsError::PermissionDenied),
        ("the target of an absolute link", files.readlink(path("/d/abs")).map(drop), FsError::PermissionDenied),
        ("through a link out of the grant", opened("/d/out", "r"), FsError::PermissionDenied),
        ("created through a link out of the grant", opened("/d/out", "wc"), FsError::PermissionDenied),
        ("a hard link", files.hard_link(path("/d/f"), path("/d/g")), FsError::PermissionDenied),
    ];
    for (what, got, expected) in cases {
        assert_eq!(got, Err(expected), "{what}");
    }
}

#[test]
fn removed_and_renamed_files_stay_open() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    let on_host = |name: &str| fs::read_to_string(root.path().join("d").join(name)).ok();
    let mut file = open(&files, path("/d/f"), "rwc").unwrap();
    write(&mut file, b"first").unwrap();
    rename(&files, path("/d/f"), path("/d/g")).unwrap();
    write(&mut open(&files, path("/d/f"), "wc").unwrap(), b"second").unwrap();
    write(&mut file, b"!").unwrap();
    assert_eq!((on_host("f").unwrap(), on_host("g").unwrap()), ("second".to_owned(), "first!".to_owned()));
    files.create_dir(path("/d/sub")).unwrap();
    rename(&files, path("/d/g"), path("/d/sub/g")).unwrap();
    rename(&files, path("/d/sub"), path("/d/other")).unwrap();
    file.unlink().unwrap();
    assert_eq!(on_host("f").unwrap(), "second", "another file has the former name");
    assert_eq!(on_host("other/g"), None);
    seek(&mut file, SeekFrom::Start(0)).unwrap();
    assert_eq!(read(&mut file).unwrap(), b"first!");
    assert_eq!(file.unlink().unwrap_err(), FsError::EntryNotFound);
    let mut replaced = open(&files, path("/d/f"), "r").unwrap();
    write(&mut open(&files, path("/d/h"), "wc").unwrap(), b"third").unwrap();
    rename(&files, path("/d/h"), path("/d/f")).unwrap();
    assert_eq!(read(&mut replaced).unwrap(), b"second");
    assert_eq!(on_host("f").unwrap(), "third");
}

#[test]
fn all_forms_of_guest_paths_start_at_the_root() {
    let (root, files) = grant(&[("data", "one", "rw"), ("./a/b/", "two", "ro"), ("/a/b/c/d", "three", "rw")]);
    for (dir, file) in [("one", "in_one"), ("two", "in_two"), ("three", "in_three")] {
        fs::write(root.path().join(dir).join(file), file).unwrap();
    }
    assert_eq!(list(&files, "/"), ["/a dir", "/data dir"]);
    assert_eq!(list(&files, "/a"), ["/a/b dir"]);
    assert_eq!(list(&files, "/a/b"), ["/a/b/c dir", "/a/b/in_two file"], "above a mount point inside a grant");
    assert_eq!(list(&files, "a/b/c"), ["/a/b/c/d dir"]);
    assert_eq!(list(&files, "/a/b/c/d"), ["/a/b/c/d/in_three file"]);
    assert!(files.symlink_metadata(path("/a/b/c")).unwrap().is_dir());
    for at in ["/data/in_one", "data/in_one", "./data/../data//in_one", "/../data/in_one", "/a/b/../../data/in_one"] {
        assert_eq!(contents(&files, at), "in_one", "{at}");
    }
    open(&files, path("/a/b/c/d/new"), "wc").unwrap();
    assert_eq!(open(&files, path("/a/b/new"), "wc").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(open(&files, path("/a/b/c/new"), "wc").unwrap_err(), FsError::PermissionDenied);

    fs::create_dir(root.path().join("two/c")).unwrap();
    fs::write(root.path().join("two/c/under"), "").unwrap();
    assert_eq!(list(&files, "/a/b/c"), ["/a/b/c/d dir", "/a/b/c/under file"], "the host has this directory, too");
    fs::remove_dir_all(root.path().join("two/c")).unwrap();
    symlink(".", root.path().join("two/c")).unwrap();
    assert_eq!(list(&files, "/a/b/c"), ["/a/b/c/d dir"], "a link does not replace it");
    assert!(files.symlink_metadata(path("/a/b/c")).unwrap().is_dir());
}

#[test]
fn a_grant_can_be_the_root() {
    for guest in [".", "/", "./"] {
        let (root, files) = grant(&[(guest, "root", "rw"), ("/in", "in", "ro")]);
        fs::write(root.path().join("root/f"), "text").unwrap();
        assert_eq!(list(&files, "/"), ["/f file", "/in dir"], "{guest}");
        assert_eq!(contents(&files, "/in/../f"), "text", "{guest}");
        assert_eq!(contents(&files, "f"), "text", "{guest}");
        assert_eq!(open(&files, path("/../f2"), "wc").map(drop), Ok(()), "{guest}");
        assert_eq!(files.remove_dir(path("/")).unwrap_err(), FsError::PermissionDenied);
    }
}

#[test]
fn a_directory_is_granted_twice_with_different_access() {
    let (_root, files) = grant(&[("/r", "d", "ro"), ("/w", "d", "rw")]);
    write(&mut open(&files, path("/w/f"), "wc").unwrap(), b"text").unwrap();
    assert_eq!(contents(&files, "/r/f"), "text");
    assert_eq!(open(&files, path("/r/f"), "w").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(open(&files, path("/w/../r/f"), "w").unwrap_err(), FsError::PermissionDenied);
    assert_eq!(rename(&files, path("/w/f"), path("/r/f")), Err(FsError::PermissionDenied));
}

#[test]
fn grants_with_the_same_path_from_the_root_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = |guests: &[&str]| {
        let grants: Vec<_> = guests.iter().map(|guest| DirGrant::new(root.path(), *guest)).collect();
        let error = file_system(&grants).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Grant);
        error.to_string()
    };
    assert!(refused(&["/data", "data"]).contains("two directories are granted as `/data`"));
    assert!(refused(&[".", "/"]).contains("two directories are granted as `/`"));
    assert!(refused(&["/data/../x"]).contains("invalid guest path `/data/../x`"));
    let gone = DirGrant::new(root.path().join("none"), "/d");
    assert_eq!(file_system(&[gone]).unwrap_err().kind(), ErrorKind::Grant);
}

#[test]
fn without_grants_the_root_is_empty() {
    let (_root, files) = grant(&[]);
    assert_eq!(list(&files, "/"), [""; 0]);
    assert!(files.metadata(path("/")).unwrap().is_dir());
    assert_eq!(open(&files, path("/etc/passwd"), "r").unwrap_err(), FsError::EntryNotFound);
    assert_eq!(open(&files, path("/f"), "wc").unwrap_err(), FsError::PermissionDenied);
}

#[test]
fn links_inside_a_grant_are_followed() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
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
    rename(&files, path("/d/sub/m"), path("/d/m")).unwrap();
    assert_eq!(files.readlink(path("/d/m")).unwrap(), path("../f"));
    assert!(open(&files, path("/d/m"), "r").is_err(), "the link leads out of the grant there");
    files.remove_file(path("/d/m")).unwrap();
    assert_eq!(contents(&files, "/d/f"), "text");
}

#[test]
fn pipes_are_not_opened_and_do_not_block() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    assert!(Command::new("mkfifo").arg(root.path().join("d/pipe")).status().unwrap().success());
    assert_eq!(list(&files, "/d"), ["/d/pipe pipe"]);
    for options in ["r", "rw", "rwct"] {
        assert_eq!(open(&files, path("/d/pipe"), options).unwrap_err(), FsError::PermissionDenied, "{options}");
    }
}

#[test]
fn threads_use_the_file_system_concurrently() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    thread::scope(|scope| {
        for thread in 0..8 {
            let files = &files;
            scope.spawn(move || {
                let at = |round: usize, state: &str| PathBuf::from(format!("/d/{thread}-{round}-{state}"));
                for round in 0..100 {
                    let mut file = open(files, &at(round, "new"), "rwx").unwrap();
                    write(&mut file, at(round, "").as_os_str().as_encoded_bytes()).unwrap();
                    rename(files, &at(round, "new"), &at(round, "old")).unwrap();
                    let mut again = open(files, &at(round, "old"), "r").unwrap();
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

#[test]
fn a_mode_of_the_thread_ends_with_its_call() {
    assert!(rename_only_dirs(true, takes_only_dirs));
    assert!(!takes_only_dirs());
    let panicked = panic::catch_unwind(|| rename_only_dirs(true, || panic::resume_unwind(Box::new(()))));
    assert!(panicked.is_err() && !takes_only_dirs());
}

#[test]
fn times_are_set_of_a_file_that_is_only_writable() {
    let (root, files) = grant(&[("/d", "d", "rw")]);
    let file = root.path().join("d/f");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o200)).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(100);
    files.set_times(Path::new("d/f"), FileTimes::new().set_modified(time)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), time);
}
