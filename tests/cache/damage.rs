//! Damaged entries: the module is compiled again and the entry replaced, without an error.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wrun::RuntimeConfig;

use crate::vocabulary::{Found, TempCache, number, on_each, rewrite, set_mode};

/// The length of an entry's trailer; its last 32 bytes are the checksum.
const TRAILER: usize = 104;

/// Damages an intact entry; checks that it is not used, and is intact again afterwards.
#[track_caller]
fn is_replaced(config: &RuntimeConfig, temp: &TempCache, what: &str, damage: impl FnOnce(&Path)) {
    let file = temp.file();
    damage(&file);
    assert_eq!(temp.get(config, &number(7)), (7, Found::Miss), "{what}");
    assert!(fs::symlink_metadata(temp.file()).unwrap().is_file(), "{what}");
    assert_eq!(temp.get(config, &number(7)), (7, Found::Hit), "{what}: the entry is intact again");
}

fn filled(config: &RuntimeConfig) -> TempCache {
    let temp = TempCache::new();
    assert_eq!(temp.get(config, &number(7)), (7, Found::Miss));
    temp
}

/// Sets the checksum to that of the bytes before it.
fn set_checksum(contents: &mut [u8]) {
    let (before, checksum) = contents.split_at_mut(contents.len() - 32);
    checksum.copy_from_slice(blake3::hash(before).as_bytes());
}

#[test]
fn a_flipped_bit_is_detected_anywhere() {
    on_each(|config| {
        let temp = filled(config);
        let good = fs::read(temp.file()).unwrap();
        let sample = (0..good.len() - TRAILER).step_by(good.len() / 40);
        let all_at_the_end = (good.len() - TRAILER - 60)..good.len();
        for (turn, at) in sample.chain(all_at_the_end).enumerate() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (turn % 8);
            is_replaced(config, &temp, &format!("byte {at}"), |path| rewrite(path, &bad));
        }
    });
}

#[test]
fn a_flipped_bit_is_detected_in_a_mapped_file() {
    let data = "x".repeat(3 << 20);
    let wat = format!(
        r#"(module (memory 64) (data (i32.const 0) "{data}")
      (func (export "get") (result i32) (i32.load8_u (i32.const 3000000))))"#
    );
    let large = wat::parse_str(wat).unwrap();
    on_each(|config| {
        let temp = TempCache::new();
        assert_eq!(temp.get(config, &large), (i32::from(b'x'), Found::Miss));
        let good = fs::read(temp.file()).unwrap();
        for at in [0, 5000, good.len() / 2, good.len() - TRAILER - 1, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            rewrite(&temp.file(), &bad);
            assert_eq!(temp.get(config, &large), (i32::from(b'x'), Found::Miss), "byte {at} of {}", good.len());
            assert_eq!(temp.get(config, &large), (i32::from(b'x'), Found::Hit));
        }
    });
}

#[test]
fn truncated_extended_and_foreign_contents_are_detected() {
    on_each(|config| {
        let temp = filled(config);
        let good = fs::read(temp.file()).unwrap();
        for length in [0, 1, 31, TRAILER - 1, TRAILER, TRAILER + 1, good.len() / 2, good.len() - 32, good.len() - 1] {
            is_replaced(config, &temp, &format!("cut to {length}"), |path| rewrite(path, &good[..length]));
            let end = &good[good.len() - length..];
            is_replaced(config, &temp, &format!("the last {length}"), |path| rewrite(path, end));
        }
        is_replaced(config, &temp, "extended", |path| rewrite(path, &[&good[..], b"x"].concat()));
        is_replaced(config, &temp, "twice", |path| rewrite(path, &[&good[..], &good].concat()));
        is_replaced(config, &temp, "garbage", |path| rewrite(path, &[0xa5; 5000]));
        is_replaced(config, &temp, "zeros", |path| rewrite(path, &vec![0; good.len()]));
    });
}

#[test]
fn anything_but_a_regular_file_is_replaced() {
    on_each(|config| {
        let temp = filled(config);
        let good = fs::read(temp.file()).unwrap();
        is_replaced(config, &temp, "an empty folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        });
        is_replaced(config, &temp, "a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir_all(path.join("a/b")).unwrap();
            fs::write(path.join("a/file"), &good).unwrap();
        });
        is_replaced(config, &temp, "a pipe", |path| {
            fs::remove_file(path).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        let elsewhere = temp.beside("good");
        fs::write(&elsewhere, &good).unwrap();
        set_mode(&elsewhere, 0o500);
        is_replaced(config, &temp, "a link to a good entry", |path| {
            fs::remove_file(path).unwrap();
            symlink(&elsewhere, path).unwrap();
        });
        assert_eq!(fs::read(&elsewhere).unwrap(), good, "the target of a link is left alone");
        is_replaced(config, &temp, "a link to nothing", |path| {
            fs::remove_file(path).unwrap();
            symlink("nowhere", path).unwrap();
        });
    });
}

#[test]
fn an_intact_entry_under_another_name_is_not_used() {
    on_each(|config| {
        let temp = filled(config);
        let seven = temp.file();
        assert_eq!(temp.get(config, &number(8)), (8, Found::Miss));
        let eight = temp.files().into_iter().find(|path| *path != seven).unwrap();
        fs::rename(&seven, &eight).unwrap();
        assert_eq!(temp.get(config, &number(8)), (8, Found::Miss), "the code of 7 is not run for 8");
    });
}

#[test]
fn other_versions_and_rejected_code_with_valid_checksums_are_replaced() {
    on_each(|config| {
        let temp = filled(config);
        let good = fs::read(temp.file()).unwrap();
        let trailer = good.len() - TRAILER;
        let mut newer = good.clone();
        newer[trailer + 8] += 1;
        set_checksum(&mut newer);
        is_replaced(config, &temp, "another version", |path| rewrite(path, &newer));

        let code = u64::from_le_bytes(good[trailer + 16..trailer + 24].try_into().unwrap());
        let mut refused = good.clone();
        refused[..usize::try_from(code).unwrap()].fill(b'x');
        set_checksum(&mut refused);
        is_replaced(config, &temp, "code that the engine rejects", |path| rewrite(path, &refused));

        let mut odd = good.clone();
        odd[trailer + 24..trailer + 32].copy_from_slice(&u64::MAX.to_le_bytes());
        set_checksum(&mut odd);
        is_replaced(config, &temp, "lengths that overflow", |path| rewrite(path, &odd));

        let mut no_facts = good.clone();
        no_facts[usize::try_from(code).unwrap()] = 0xc1;
        set_checksum(&mut no_facts);
        is_replaced(config, &temp, "invalid facts", |path| rewrite(path, &no_facts));
    });
}

#[test]
fn verify_finds_damaged_entries_and_remove_removes_them() {
    on_each(|config| {
        let temp = filled(config);
        let seven = temp.file();
        temp.get(config, &number(8));
        assert!(temp.cache.verify().unwrap().iter().all(|entry| entry.fault.is_none()));

        let mut bad = fs::read(&seven).unwrap();
        bad[10] ^= 1;
        rewrite(&seven, &bad);
        let checked = temp.cache.verify().unwrap();
        let faults: Vec<_> = checked.iter().filter(|entry| entry.fault.is_some()).collect();
        assert_eq!((checked.len(), faults.len()), (2, 1));
        assert!(seven.to_str().unwrap().contains(&faults[0].key));
        assert!(faults[0].fault.as_ref().unwrap().contains("checksum"), "{faults:?}");
        temp.cache.remove(&faults[0].key).unwrap();
        temp.cache.remove(&faults[0].key).unwrap();
        assert_eq!(temp.cache.verify().unwrap().len(), 1);
        assert!(temp.cache.remove("../elsewhere").is_err());
        assert_eq!(temp.get(config, &number(8)), (8, Found::Hit));
    });
}
