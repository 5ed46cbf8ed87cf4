//! The files of the generated crate, and how names in them are filled in.

/// A file of the generated crate.
pub(super) struct File {
    /// From the folder of the crate.
    pub(super) path: &'static str,
    /// What people find in it; empty where its name says all.
    pub(super) purpose: &'static str,
    pub(super) template: &'static str,
}

/// What `{{name}}` stands for.
pub(super) type Value = (&'static str, String);

macro_rules! file {
    ($path:literal, $template:literal, $purpose:literal) => {
        File {
            path: $path,
            purpose: $purpose,
            template: include_str!(concat!("templates/", $template)),
        }
    };
}

/// A manifest and a list of ignored files of their own would mean something where the templates
/// are, so these have other names there.
pub(super) const FILES: &[File] = &[
    file!("README.md", "README.md", "how to see it work, and what to change first"),
    file!("src/lib.rs", "src/lib.rs", "the protocol: a struct that is the codec"),
    file!("tests/codec.rs", "tests/codec.rs", "its bytes, and the conformance kit"),
    file!("proxy.yaml", "proxy.yaml", "where calls go"),
    file!("src/main.rs", "src/main.rs", "the proxy"),
    file!("examples/backend.rs", "examples/backend.rs", "a server"),
    file!("examples/client.rs", "examples/client.rs", "a client"),
    file!("examples/wire/mod.rs", "examples/wire/mod.rs", "messages on a socket, for both"),
    file!("Cargo.toml", "Cargo.toml.template", ""),
    file!(".gitignore", "gitignore.template", ""),
];

/// Fills in the values, once: what they hold is not looked at. Other braces stay as they are.
pub(super) fn render(template: &str, values: &[Value]) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once("}}").and_then(|(name, rest)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some([value, rest])
        });
        match known {
            Some(both) => text.extend(both),
            None => text.extend(["{{", part]),
        }
    }
    text
}

/// The names in the code of the templates, comments apart: none can be the name of a protocol.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    let sources = FILES.iter().filter(|file| file.path.ends_with(".rs"));
    let lines = sources.flat_map(|file| file.template.lines().map(str::trim_start));
    let code = lines.filter(|line| !line.starts_with("//"));
    code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_in_and_nothing_else_is() {
        let values = [("a", "{{b}}".to_owned()), ("b", "2".to_owned())];
        assert_eq!(render("{{a}} {{b}}{{b}} {{c}} {{ {b}", &values), "{{b}} 22 {{c}} {{ {b}");
        assert_eq!(render("", &values), "");
    }
}
