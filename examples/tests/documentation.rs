//! What the documents show is what there is.

use std::path::Path;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_dubbo::Dubbo;
use metaproto_proxy::config::{Config, Protocols};

const README: &str = include_str!("../../README.md");
const TUTORIAL: &str = include_str!("../../docs/tutorial.md");
const GUIDE: &str = include_str!("../../docs/derive.md");
const ARCHITECTURE: &str = include_str!("../../docs/architecture.md");
const DUBBO: &str = include_str!("../../docs/dubbo.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");
const CHANGELOG: &str = include_str!("../../CHANGELOG.md");
const CUSTOM_PROTOCOL: &str = include_str!("../custom_protocol.rs");
const AWESOMERPC: &str = include_str!("../../codecs/awesomerpc/src/lib.rs");
const TOUR: &str = include_str!("../proxy/tour.yaml");

/// The blocks of a document that are of this language.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    document.split(&opening).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0)).collect()
}

/// The lines of code, however deep they are indented: no comments, no empty lines.
fn code(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

fn contains(program: &str, block: &str) -> bool {
    let (program, block) = (code(program), code(block));
    program.windows(block.len()).any(|lines| lines == block)
}

#[test]
fn the_code_of_the_tutorial_is_that_of_the_program() {
    let blocks = blocks(TUTORIAL, "rust");
    assert!(blocks.len() >= 5);
    for block in blocks {
        assert!(contains(CUSTOM_PROTOCOL, block), "not in custom_protocol.rs:\n{block}");
    }
}

#[test]
fn the_program_of_the_tutorial_has_less_than_sixty_lines() {
    let (program, _tests) = CUSTOM_PROTOCOL.split_once("#[cfg(test)]").unwrap();
    assert!(code(program).len() < 60, "{} lines", code(program).len());
}

#[test]
fn the_codec_of_the_readme_is_that_of_the_crate() {
    let block = blocks(README, "rust")[0];
    let (_, codec) = block.split_once("\n\n").unwrap();
    assert!(contains(AWESOMERPC, codec));
}

#[test]
fn the_layout_of_the_readme_is_that_of_the_guide() {
    let (_imports, layout) = blocks(README, "rust")[1].split_once("\n\n").unwrap();
    assert!(blocks(GUIDE, "rust").contains(&layout));
    let (_, section) = README.split_once("## Describe a protocol").unwrap();
    assert!(blocks(GUIDE, "text").contains(&blocks(section, "text")[0]));
}

#[test]
fn the_files_of_the_readme_are_good_and_one_is_that_of_the_example() {
    let files = blocks(README, "yaml");
    assert!(files.contains(&TOUR.trim_end()));
    let protocols = Protocols::new().with(AwesomeRpc::protocol()).with(Dubbo::protocol());
    for file in files.into_iter().chain(blocks(DUBBO, "yaml").into_iter().take(1)) {
        Config::parse(file, &protocols).expect(file);
    }
}

/// The text of the last file with this ending that the document links to.
fn linked(before: &str, ending: &str) -> String {
    let links = before.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let path = links.filter(|link| link.ends_with(ending)).last().expect("a file is named");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(docs.join(path)).expect(path)
}

/// The layout alone: a program without what its fields mean.
fn layout(program: &str) -> String {
    let mut parts = program.split("#[meta(");
    let mut layout = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut open = 1;
        let closes = |c: char| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        };
        let (_, rest) = part.split_once(closes).expect("an attribute ends");
        layout.push_str(rest.strip_prefix(']').expect("an attribute ends"));
    }
    layout.replace(", Codec", "")
}

#[test]
fn the_code_of_the_guide_is_that_of_the_files_it_names() {
    let mut before = String::new();
    for part in GUIDE.split("```rust\n") {
        if !before.is_empty() {
            let (block, program) = (part.split_once("\n```").unwrap().0, linked(&before, ".rs"));
            let is_there = contains(&program, block) || contains(&layout(&program), block);
            assert!(is_there, "not in the file that is named:\n{block}");
        }
        before.push_str(part);
    }
    assert!(blocks(GUIDE, "rust").len() >= 18);
}

#[test]
fn the_messages_of_the_guide_are_those_of_the_compiler() {
    let (before, block) = GUIDE.split_once("```text\nerror: ").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    assert!(linked(before, ".stderr").contains(block));
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = root.join("docs");
    let documents = [
        (README, &root),
        (CONTRIBUTING, &root),
        (CHANGELOG, &root),
        (TUTORIAL, &docs),
        (GUIDE, &docs),
        (ARCHITECTURE, &docs),
    ];
    for (document, folder) in documents {
        for link in document.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            let path = link.split('#').next().unwrap();
            let is_elsewhere = link.starts_with("https://");
            assert!(is_elsewhere || folder.join(path).exists(), "{link}");
        }
    }
}
