//! What is written, without building it; `.ci/run generated` builds and runs it.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    new: New,
}

fn new(folder: &Path, more: &[&str]) -> Result<String, Failure> {
    let path = folder.to_str().expect("it is text");
    let line = [&["new", "pelican", "--path", path], more].concat();
    Line::try_parse_from(line).expect("a good line").new.write()
}

/// The files below `folder`, by their paths from it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let read = |file: &template::File| {
        let text = std::fs::read_to_string(folder.join(file.path)).expect(file.path);
        (file.path.to_owned(), text)
    };
    FILES.iter().map(read).collect()
}

#[test]
fn every_shape_leaves_no_name_unfilled() {
    let place = tempfile::tempdir().unwrap();
    for endian in ["little", "big"] {
        for bits in ["16", "32", "64"] {
            for length in ["frame", "body"] {
                let folder = place.path().join(format!("{endian}-{bits}-{length}"));
                let shape = ["--endian", endian, "--id-bits", bits, "--length-of", length];
                new(&folder, &shape).unwrap();
                let files = files(&folder);
                for (path, text) in &files {
                    assert!(!text.contains("{{"), "{path}:\n{text}");
                }
                let codec = &files["src/lib.rs"];
                assert!(codec.contains(&format!("magic = b\"PE\", endian = {endian})")));
                assert!(codec.contains(&format!("pub id: u{bits},")));
                assert!(codec.contains(&format!("length(of = {length})")));
                assert!(codec.contains("pub struct Pelican {"));
            }
        }
    }
}

#[test]
fn a_folder_that_exists_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pelican");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("README.md"), "mine").unwrap();
    let error = new(&folder, &[]).unwrap_err().to_string();
    let remedy = "exists already and stays as it is; name another folder with --path";
    assert_eq!(error, format!("{} {remedy}", folder.display()));
    assert_eq!(std::fs::read_to_string(folder.join("README.md")).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn nothing_is_left_of_a_crate_that_can_not_be_written() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pelican");
    let error = new(&folder, &["--metaproto", "/nowhere"]).unwrap_err();
    assert!(matches!(error, Failure::NoCheckout(_)), "{error}");
    assert!(!folder.exists());
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = new(&file.join("pelican"), &[]).unwrap_err().to_string();
    assert!(error.starts_with(&file.display().to_string()), "{error}");
}

#[test]
fn within_a_workspace_the_crate_is_one_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    new(&place.path().join("alone"), &[]).unwrap();
    assert!(!files(&place.path().join("alone"))["Cargo.toml"].contains("[workspace]"));
    std::fs::write(place.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
    new(&place.path().join("deep/inside"), &[]).unwrap();
    assert!(files(&place.path().join("deep/inside"))["Cargo.toml"].ends_with("\n[workspace]\n"));
}

#[test]
fn the_report_tells_the_source_and_the_commands_of_the_readme() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pelican");
    let report = new(&folder, &[]).unwrap();
    assert!(report.contains("which this binary was built from"), "{report}");
    let readme = &files(&folder)["README.md"];
    let commands = report.lines().filter_map(|line| line.trim().strip_prefix("cargo run "));
    assert_eq!(commands.clone().count(), 3);
    for command in commands {
        assert!(readme.contains(command.trim_start_matches("-q ")), "{command}");
    }
}
