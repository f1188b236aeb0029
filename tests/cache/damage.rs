//! Damaged entries are never run and never an error: the module is compiled again and the entry replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wrun::RuntimeConfig;

use crate::vocabulary::{Found, Home, number, on_each, rewrite, set_mode};

/// The size of the fixed end of an entry; the last 32 bytes are the checksum.
const TRAILER: usize = 104;

/// Replaces a good entry. Asserts that it is not used, and is good again afterwards.
#[track_caller]
fn is_replaced(config: &RuntimeConfig, home: &Home, what: &str, damage: impl FnOnce(&Path)) {
    let file = home.file();
    damage(&file);
    assert_eq!(home.get(config, &number(7)), (7, Found::Miss), "{what}");
    assert!(fs::symlink_metadata(home.file()).unwrap().is_file(), "{what}");
    assert_eq!(home.get(config, &number(7)), (7, Found::Hit), "{what}: the entry is good again");
}

fn filled(config: &RuntimeConfig) -> Home {
    let home = Home::new();
    assert_eq!(home.get(config, &number(7)), (7, Found::Miss));
    home
}

/// Updates the checksum.
fn sign(contents: &mut [u8]) {
    let (before, checksum) = contents.split_at_mut(contents.len() - 32);
    checksum.copy_from_slice(blake3::hash(before).as_bytes());
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    on_each(|config| {
        let home = filled(config);
        let good = fs::read(home.file()).unwrap();
        let few = (0..good.len() - TRAILER).step_by(good.len() / 40);
        let every_one_of_the_end = (good.len() - TRAILER - 60)..good.len();
        for (turn, at) in few.chain(every_one_of_the_end).enumerate() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (turn % 8);
            is_replaced(config, &home, &format!("byte {at}"), |path| rewrite(path, &bad));
        }
    });
}

#[test]
fn a_flipped_bit_is_noticed_in_what_would_be_mapped() {
    let data = "x".repeat(3 << 20);
    let wat = format!(
        r#"(module (memory 64) (data (i32.const 0) "{data}")
      (func (export "get") (result i32) (i32.load8_u (i32.const 3000000))))"#
    );
    let large = wat::parse_str(wat).unwrap();
    on_each(|config| {
        let home = Home::new();
        assert_eq!(home.get(config, &large), (i32::from(b'x'), Found::Miss));
        let good = fs::read(home.file()).unwrap();
        for at in [0, 5000, good.len() / 2, good.len() - TRAILER - 1, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            rewrite(&home.file(), &bad);
            assert_eq!(home.get(config, &large), (i32::from(b'x'), Found::Miss), "byte {at} of {}", good.len());
            assert_eq!(home.get(config, &large), (i32::from(b'x'), Found::Hit));
        }
    });
}

#[test]
fn truncated_extended_and_foreign_files_are_detected() {
    on_each(|config| {
        let home = filled(config);
        let good = fs::read(home.file()).unwrap();
        for length in [0, 1, 31, TRAILER - 1, TRAILER, TRAILER + 1, good.len() / 2, good.len() - 32, good.len() - 1] {
            is_replaced(config, &home, &format!("cut to {length}"), |path| rewrite(path, &good[..length]));
            let end = &good[good.len() - length..];
            is_replaced(config, &home, &format!("the last {length}"), |path| rewrite(path, end));
        }
        is_replaced(config, &home, "extended", |path| rewrite(path, &[&good[..], b"x"].concat()));
        is_replaced(config, &home, "twice", |path| rewrite(path, &[&good[..], &good].concat()));
        is_replaced(config, &home, "garbage", |path| rewrite(path, &[0xa5; 5000]));
        is_replaced(config, &home, "zeros", |path| rewrite(path, &vec![0; good.len()]));
    });
}

#[test]
fn other_file_types_are_replaced_by_an_entry() {
    on_each(|config| {
        let home = filled(config);
        let good = fs::read(home.file()).unwrap();
        is_replaced(config, &home, "an empty folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        });
        is_replaced(config, &home, "a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir_all(path.join("a/b")).unwrap();
            fs::write(path.join("a/file"), &good).unwrap();
        });
        is_replaced(config, &home, "a pipe", |path| {
            fs::remove_file(path).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        let elsewhere = home.beside("good");
        fs::write(&elsewhere, &good).unwrap();
        set_mode(&elsewhere, 0o500);
        is_replaced(config, &home, "a link to a good entry", |path| {
            fs::remove_file(path).unwrap();
            symlink(&elsewhere, path).unwrap();
        });
        assert_eq!(fs::read(&elsewhere).unwrap(), good, "the target of a link is not changed");
        is_replaced(config, &home, "a link to nothing", |path| {
            fs::remove_file(path).unwrap();
            symlink("nowhere", path).unwrap();
        });
    });
}

#[test]
fn a_good_entry_under_another_name_is_not_used() {
    on_each(|config| {
        let home = filled(config);
        let seven = home.file();
        assert_eq!(home.get(config, &number(8)), (8, Found::Miss));
        let eight = home.files().into_iter().find(|path| *path != seven).unwrap();
        fs::rename(&seven, &eight).unwrap();
        assert_eq!(home.get(config, &number(8)), (8, Found::Miss), "the code of 7 is not run for 8");
    });
}

#[test]
fn entries_of_another_version_or_with_unusable_code_are_replaced() {
    on_each(|config| {
        let home = filled(config);
        let good = fs::read(home.file()).unwrap();
        let trailer = good.len() - TRAILER;
        let mut newer = good.clone();
        newer[trailer + 8] += 1;
        sign(&mut newer);
        is_replaced(config, &home, "another version", |path| rewrite(path, &newer));

        let code = u64::from_le_bytes(good[trailer + 16..trailer + 24].try_into().unwrap());
        let mut refused = good.clone();
        refused[..usize::try_from(code).unwrap()].fill(b'x');
        sign(&mut refused);
        is_replaced(config, &home, "no code", |path| rewrite(path, &refused));

        let mut odd = good.clone();
        odd[trailer + 24..trailer + 32].copy_from_slice(&u64::MAX.to_le_bytes());
        sign(&mut odd);
        is_replaced(config, &home, "lengths that overflow", |path| rewrite(path, &odd));

        let mut no_facts = good.clone();
        no_facts[usize::try_from(code).unwrap()] = 0xc1;
        sign(&mut no_facts);
        is_replaced(config, &home, "facts that are none", |path| rewrite(path, &no_facts));
    });
}

#[test]
fn verify_names_bad_entries_and_can_remove_them() {
    on_each(|config| {
        let home = filled(config);
        let seven = home.file();
        home.get(config, &number(8));
        assert!(home.cache.verify().unwrap().iter().all(|entry| entry.fault.is_none()));

        let mut bad = fs::read(&seven).unwrap();
        bad[10] ^= 1;
        rewrite(&seven, &bad);
        let checked = home.cache.verify().unwrap();
        let faults: Vec<_> = checked.iter().filter(|entry| entry.fault.is_some()).collect();
        assert_eq!((checked.len(), faults.len()), (2, 1));
        assert!(seven.to_str().unwrap().contains(&faults[0].key));
        assert!(faults[0].fault.as_ref().unwrap().contains("checksum"), "{faults:?}");
        home.cache.remove(&faults[0].key).unwrap();
        home.cache.remove(&faults[0].key).unwrap();
        assert_eq!(home.cache.verify().unwrap().len(), 1);
        assert!(home.cache.remove("../elsewhere").is_err());
        assert_eq!(home.get(config, &number(8)), (8, Found::Hit));
    });
}
