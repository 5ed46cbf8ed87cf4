//! Where the generated crate takes metaproto from. It is in no registry yet.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::Failure;
use super::template::Value;

/// A checkout, or the repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// As the user wrote it.
    Given(PathBuf),
    /// The one that this binary was built from, which is still there.
    BuiltFrom(PathBuf),
    Git,
}

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

impl Source {
    /// The checkout that was given, or else the one that this binary was built from, or else git.
    ///
    /// # Errors
    /// The one that was given is none.
    pub(super) fn find(given: Option<&Path>) -> Result<Self, Failure> {
        match given {
            Some(path) if is_checkout(path) => Ok(Source::Given(path.to_owned())),
            Some(path) => Err(Failure::NoCheckout(path.display().to_string())),
            None => Ok(Source::built_from(env!("CARGO_MANIFEST_DIR").as_ref())),
        }
    }

    /// Takes the checkout with this folder of `metaproto-proxy`, if it is one that stays: what cargo
    /// has fetched for `cargo install`, it removes again.
    fn built_from(manifest: &Path) -> Self {
        let names: Vec<_> = manifest.iter().collect();
        let is_cache = names.windows(2).any(|pair| pair == ["git", "checkouts"]);
        match manifest.parent() {
            Some(root) if !is_cache && is_checkout(root) => Source::BuiltFrom(root.to_owned()),
            _ => Source::Git,
        }
    }

    /// What stands in the manifest of a crate in `folder`, which is absolute.
    ///
    /// # Errors
    /// A path that TOML can't tell.
    pub(super) fn values(&self, folder: &Path) -> Result<Vec<Value>, Failure> {
        let root = match self {
            Source::Git => None,
            Source::BuiltFrom(path) => Some(path.clone()),
            Source::Given(path) => {
                let root = path.canonicalize().map_err(Failure::at(path))?;
                // Who gives a relative path keeps both in one place, and may move them together.
                Some(if path.is_relative() { relative(folder, &root) } else { root })
            }
        };
        let source = |package: &str| match &root {
            Some(root) => Ok(format!("path = {}", toml(&root.join(package))?)),
            None => Ok(format!("git = \"{REPOSITORY}\"")),
        };
        let comment = match self {
            Source::Given(_) => "a checkout",
            Source::BuiltFrom(_) => "the checkout that wrote this crate, on this machine",
            Source::Git => "its repository",
        };
        Ok(vec![
            ("core_source", source("metaproto-core")?),
            ("proxy_source", source("metaproto-proxy")?),
            ("source_comment", comment.to_owned()),
            ("repository", REPOSITORY.to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("rust_version", env!("CARGO_PKG_RUST_VERSION").to_owned()),
        ])
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Given(path) => write!(f, "{}", path.display()),
            Source::BuiltFrom(path) => {
                write!(f, "{}, which this binary was built from", path.display())?;
                f.write_str("; --metaproto DIR names another checkout")
            }
            Source::Git => write!(f, "{REPOSITORY}; --metaproto DIR names a checkout instead"),
        }
    }
}

fn is_checkout(root: &Path) -> bool {
    let has = |package: &str| root.join(package).join("Cargo.toml").is_file();
    has("metaproto-core") && has("metaproto-proxy")
}

/// The way from one folder to another; both are absolute and without links.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// A path as a string of TOML.
fn toml(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(|| Failure::NotText(path.display().to_string()))?;
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(root: &Path) {
        for package in ["metaproto-core", "metaproto-proxy"] {
            std::fs::create_dir_all(root.join(package)).unwrap();
            std::fs::write(root.join(package).join("Cargo.toml"), "").unwrap();
        }
    }

    #[test]
    fn the_checkout_of_the_binary_is_taken_while_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("metaproto");
        let manifest = root.join("metaproto-proxy");
        assert_eq!(Source::built_from(&manifest), Source::Git);
        checkout(&root);
        assert_eq!(Source::built_from(&manifest), Source::BuiltFrom(root));
    }

    #[test]
    fn what_cargo_has_fetched_is_not_taken_for_a_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("git/checkouts/metaproto-1/abc");
        checkout(&root);
        assert_eq!(Source::built_from(&root.join("metaproto-proxy")), Source::Git);
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_refused_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let error = Source::find(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("name the folder that holds metaproto-core"), "{error}");
    }

    #[test]
    fn the_manifest_names_the_repository_or_the_path() {
        let folder = Path::new("/a/crate");
        let values = Source::Git.values(folder).unwrap();
        assert_eq!(values[0], ("core_source", format!("git = \"{REPOSITORY}\"")));
        let values = Source::BuiltFrom("/b \"c\"".into()).values(folder).unwrap();
        let path = "path = \"/b \\\"c\\\"/metaproto-proxy\"";
        assert_eq!(values[1], ("proxy_source", path.to_owned()));
        assert!(Source::BuiltFrom("/b\n".into()).values(folder).is_err());
    }

    #[test]
    fn a_relative_way_leads_up_and_down() {
        let way = |from: &str, to: &str| relative(from.as_ref(), to.as_ref());
        assert_eq!(way("/a/b/new", "/a/metaproto"), Path::new("../../metaproto"));
        assert_eq!(way("/a/new", "/a/new/metaproto"), Path::new("metaproto"));
    }
}
