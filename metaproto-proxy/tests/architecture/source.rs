//! Source text, read as far as the rules need it: without a parser, on formatted files.

use std::path::{Path, PathBuf};

/// A text file of the workspace.
pub(crate) struct File {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every text file of the workspace, but for what is built.
pub(crate) fn workspace() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root.join(&folder)).expect("a folder of the workspace");
        for entry in entries {
            let entry = entry.expect("it can be listed");
            let name = entry.file_name().into_string().expect("names are text");
            let path = folder.join(&name);
            let is_folder = entry.file_type().expect("it has a type").is_dir();
            match name.as_str() {
                // What tools keep for themselves, and what a fuzzer has gathered.
                "target" | "corpus" | "artifacts" => {}
                hidden if hidden.starts_with('.') && hidden != ".ci" => {}
                _ if is_folder => folders.push(path),
                _ => {
                    // What is not text has no lines to complain about.
                    if let Ok(text) = std::fs::read_to_string(entry.path()) {
                        files.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
                    }
                }
            }
        }
    }
    files
}

/// The names in a line.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
}

/// The lines of a formatted file outside items that are `#[cfg(test)]`.
pub(crate) fn without_tests(text: &str) -> usize {
    let mut lines = text.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            count += 1;
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let inside = format!("{indent} ");
        lines.find(|line| !line.starts_with(&inside) && line.ends_with([';', '}']));
    }
    count
}

/// The text with comments and literals blanked out, line for line.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = blank(rest);
        let (taken, next) = rest.split_at(skip.unwrap_or(first.len_utf8()));
        match skip {
            Some(_) => out.extend(taken.chars().map(|c| if c == '\n' { c } else { ' ' })),
            None => out.push(first),
        }
        rest = next;
    }
    out
}

/// The length of the comment or literal that `text` starts with.
fn blank(text: &str) -> Option<usize> {
    let until = |start: usize, end: &str| {
        let found = text.get(start..).and_then(|rest| rest.find(end));
        Some(found.map_or(text.len(), |at| start + at + end.len()))
    };
    if text.starts_with("//") {
        return text.find('\n').or(Some(text.len()));
    }
    if text.starts_with("/*") {
        return until(2, "*/");
    }
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return until(hashes + 2, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let mut chars = text.char_indices().skip(1).peekable();
    // A lifetime has no second quote behind its first letter.
    let mut after = text.chars().skip(1);
    if quote == '\'' && after.next() != Some('\\') && after.next() != Some('\'') {
        return None;
    }
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    Some(text.len())
}

/// The paths in `code`, groups of a `use` taken apart, with the lines that they end on.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // For every open brace: the path before it, if it opens a group.
    let mut groups: Vec<Option<String>> = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        let mut path = String::new();
        while let Some(first) = rest.chars().next() {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let taken = match first {
                _ if name > 0 => {
                    if path.is_empty() {
                        path = groups.last().cloned().flatten().unwrap_or_default();
                    }
                    path.push_str(&rest[..name]);
                    name
                }
                ':' if rest.starts_with("::") && !path.is_empty() => {
                    path.push_str("::");
                    2
                }
                _ => {
                    match first {
                        '{' if path.ends_with("::") => groups.push(Some(std::mem::take(&mut path))),
                        '{' => groups.push(None),
                        '}' => drop(groups.pop()),
                        _ => {}
                    }
                    found.push((index + 1, std::mem::take(&mut path)));
                    first.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        found.push((index + 1, path));
    }
    found.retain(|(_, path)| !path.is_empty());
    found
}
