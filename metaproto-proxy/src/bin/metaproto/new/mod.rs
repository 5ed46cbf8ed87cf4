//! `metaproto new`: a crate for a protocol of one's own that builds, passes its tests and forwards
//! calls as it is.

mod name;
mod shape;
mod source;
mod template;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use self::name::Name;
use self::shape::Shape;
use self::source::Source;
use self::template::{FILES, Value, render};

const EXAMPLES: &str = "\
Examples:
  metaproto new pelican
  metaproto new pelican --endian little --id-bits 32 --length-of frame
  metaproto new pelican --path services/pelican --metaproto ../metaproto

What is written tells what to change first, and where: its README.md.";

/// The arguments of the command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct New {
    /// Name of the protocol and its crate: lower case letters, digits, - and _
    name: Name,

    /// Folder to write, which must not exist yet [default: NAME, here]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,

    /// Checkout of metaproto to depend on [default: the one this binary was built from, or else the
    /// git repository]
    #[arg(long, value_name = "DIR")]
    metaproto: Option<PathBuf>,

    #[command(flatten)]
    shape: Shape,
}

/// Why there is no crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0} exists already and stays as it is; name another folder with --path")]
    Exists(String),
    #[error(
        "--metaproto: {0} is no checkout of metaproto; name the folder that holds metaproto-core \
         and metaproto-proxy"
    )]
    NoCheckout(String),
    #[error("{0} can't be written into a Cargo.toml; move it, or name another with --metaproto")]
    NotText(String),
    #[error("{0}: {1}")]
    System(String, io::Error),
}

impl Failure {
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Failure::System(path.display().to_string(), error)
    }
}

impl New {
    /// Writes the crate, and tells what to do next.
    ///
    /// # Errors
    /// The folder exists, or can't be written. What was written until then is taken back.
    pub(crate) fn write(&self) -> Result<String, Failure> {
        let folder = self.path.clone().unwrap_or_else(|| PathBuf::from(self.name.as_str()));
        let source = Source::find(self.metaproto.as_deref())?;
        create(&folder)?;
        if let Err(failure) = self.fill(&folder, &source) {
            // All that is in it is ours. What can't be removed is no worse than what went wrong.
            std::fs::remove_dir_all(&folder).ok();
            return Err(failure);
        }
        Ok(self.report(&folder, &source))
    }

    fn fill(&self, folder: &Path, source: &Source) -> Result<(), Failure> {
        let values = self.values(folder, source)?;
        for file in FILES {
            let path = folder.join(file.path);
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(Failure::at(parent))?;
            let text = render(file.template, &values);
            let mut new = std::fs::File::create_new(&path).map_err(Failure::at(&path))?;
            new.write_all(text.as_bytes()).map_err(Failure::at(&path))?;
        }
        Ok(())
    }

    /// What stands for each of the names in the templates. `folder` exists.
    fn values(&self, folder: &Path, source: &Source) -> Result<Vec<Value>, Failure> {
        let folder = folder.canonicalize().map_err(Failure::at(folder))?;
        let workspace = if is_within_workspace(&folder) { OWN_WORKSPACE } else { "" };
        let mut values = self.name.values();
        values.extend(self.shape.values());
        values.extend(source.values(&folder)?);
        values.push(("workspace", workspace.to_owned()));
        Ok(values)
    }

    fn report(&self, folder: &Path, source: &Source) -> String {
        let (name, place) = (self.name.as_str(), folder.display());
        let mut text = format!("{name} is written to {place}:\n");
        for file in FILES {
            let line = format!("  {:<24}{}", file.path, file.purpose);
            writeln!(text, "{}", line.trim_end()).ok();
        }
        writeln!(text, "metaproto comes from {source}").ok();
        text + &format!(
            "
See it work: in {place},
  cargo test
and there, in a terminal each,
  cargo run --example backend -- 127.0.0.1:9001 127.0.0.1:9002
  cargo run -- proxy.yaml
  cargo run --example client -- 127.0.0.1:9000 1 hello

Then make it yours: src/lib.rs first; README.md tells the way.
"
        )
    }
}

/// Keeps cargo from taking the crate for a member of a workspace that it happens to lie in.
const OWN_WORKSPACE: &str = "

# A folder above is a workspace, which this crate is not part of. To make it a member, remove this
# table, and add the crate to the members there.
[workspace]";

fn create(folder: &Path) -> Result<(), Failure> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(Failure::at(parent))?;
    }
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists(folder.display().to_string()),
        _ => Failure::at(folder)(error),
    })
}

fn is_within_workspace(folder: &Path) -> bool {
    let manifests = folder.ancestors().skip(1).map(|above| above.join("Cargo.toml"));
    manifests
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .any(|manifest| manifest.lines().any(|line| line.trim_start().starts_with("[workspace")))
}
