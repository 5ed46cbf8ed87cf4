//! What the documents show is what there is.

const README: &str = include_str!("../../README.md");
const TUTORIAL: &str = include_str!("../../docs/tutorial.md");
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
fn the_file_of_the_readme_is_that_of_the_example() {
    assert_eq!(blocks(README, "yaml"), [TOUR.trim_end()]);
}

#[test]
fn links_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (document, folder) in [(README, root.clone()), (TUTORIAL, root.join("docs"))] {
        for link in document.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            let path = link.split('#').next().unwrap();
            assert!(folder.join(path).exists(), "{link}");
        }
    }
}
