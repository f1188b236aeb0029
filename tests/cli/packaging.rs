//! The lists of files for packages.

use std::fs;
use std::path::Path;

use toml::Value;

/// Returns `package.metadata` of Cargo.toml.
fn metadata() -> Value {
    let manifest: Value = toml::from_str(&fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    manifest["package"]["metadata"].clone()
}

/// Whether a path, whose last part may have one `*`, fits a file.
fn exists(path: &str) -> bool {
    let Some((start, end)) = path.split_once('*') else { return Path::new(path).is_file() };
    let (folder, start) = start.rsplit_once('/').unwrap_or((".", start));
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start) && name.ends_with(end)).count() > 0
}

#[test]
fn the_files_of_packages_exist() {
    let metadata = metadata();
    let deb = metadata["deb"]["assets"].as_array().unwrap().iter().map(|asset| (&asset[0], &asset[1], &asset[2]));
    let rpm = metadata["generate-rpm"]["assets"].as_array().unwrap().iter();
    let rpm = rpm.map(|asset| (&asset["source"], &asset["dest"], &asset["mode"]));
    let assets: Vec<_> =
        deb.chain(rpm).map(|(from, to, mode)| [from, to, mode].map(|it| it.as_str().unwrap())).collect();
    for [from, to, mode] in &assets {
        let is_program = *from == "target/release/wrun";
        assert!(is_program || exists(from), "{from}");
        assert_eq!(*mode, if is_program { "755" } else { "644" }, "{from}");
        assert!(!from.contains('*') || to.ends_with('/'), "{from}");
    }
    assert_eq!(assets.iter().filter(|[from, ..]| *from == "target/release/wrun").count(), 2);
}

#[test]
fn binstall_finds_what_dist_packs() {
    let dist = fs::read_to_string(".ci/dist").unwrap();
    assert!(dist.contains("name=wrun-$version-$target\n") && dist.contains("\"$out/$name.tar.gz\" \"$name\""));
    let binstall = &metadata()["binstall"];
    let filled = |key: &str| {
        let text = binstall[key].as_str().unwrap();
        [
            ("name", "wrun"),
            ("version", "1.2.3"),
            ("target", "x86_64"),
            ("bin", "wrun"),
            ("binary-ext", ""),
            ("repo", "https://r"),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{ {name} }}"), value))
    };
    assert_eq!(filled("pkg-url"), "https://r/releases/download/v1.2.3/wrun-1.2.3-x86_64.tar.gz");
    assert_eq!(filled("bin-dir"), "wrun-1.2.3-x86_64/wrun");
}

#[test]
fn the_image_holds_files_of_the_package() {
    let (image, dist) = (fs::read_to_string(".ci/Containerfile").unwrap(), fs::read_to_string(".ci/dist").unwrap());
    let lines: Vec<_> = image.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "FROM scratch");
    assert!(lines.iter().any(|line| line.strip_prefix("USER ").is_some_and(|user| user != "0" && user != "root")));
    for line in lines.iter().filter_map(|line| line.strip_prefix("COPY ")) {
        let files: Vec<_> = line.split(' ').collect();
        for file in &files[..files.len() - 1] {
            assert!(*file == "wrun" || (dist.contains(file) && Path::new(file).is_file()), "{file}");
        }
    }
}
