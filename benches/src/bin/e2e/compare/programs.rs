//! Where the programs are, and which of them are there.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::contender::{Contender, Program};
use crate::Failure;
use crate::cli::CompareArguments;

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    own: PathBuf,
    haproxy: PathBuf,
    envoy: PathBuf,
    metaproto: PathBuf,
    /// Those that the user named, so that their absence is an error.
    named: Vec<Program>,
}

impl Programs {
    /// HAProxy from the PATH, Envoy as told or from the PATH, metaproto as told or next to this.
    pub(crate) fn find(arguments: &CompareArguments) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let beside = own.with_file_name("metaproto");
        let from_environment = || std::env::var_os("ENVOY").map(PathBuf::from);
        let named = [
            (Program::Envoy, arguments.envoy.is_some()),
            (Program::Metaproto, arguments.metaproto.is_some()),
        ];
        Ok(Programs {
            haproxy: PathBuf::from("haproxy"),
            envoy: arguments
                .envoy
                .clone()
                .or_else(from_environment)
                .unwrap_or_else(|| "envoy".into()),
            metaproto: arguments.metaproto.clone().unwrap_or(beside),
            named: named.iter().filter(|(_, is)| *is).map(|(program, _)| *program).collect(),
            own,
        })
    }

    /// The file of `program`.
    pub(crate) fn path(&self, program: Program) -> &Path {
        match program {
            Program::Own => &self.own,
            Program::Haproxy => &self.haproxy,
            Program::Envoy => &self.envoy,
            Program::Metaproto => &self.metaproto,
        }
    }

    /// Keeps those of `wanted` (the usual ones when empty) whose program is there, and tells for
    /// each program its version, or why it is left out.
    pub(crate) async fn present(
        &self,
        wanted: &[Contender],
    ) -> Result<(Vec<Contender>, Vec<String>), Failure> {
        let wanted = if wanted.is_empty() { &Contender::USUAL[..] } else { wanted };
        let (mut present, mut notes) = (vec![Program::Own], Vec::new());
        for program in [Program::Haproxy, Program::Envoy, Program::Metaproto] {
            if !wanted.iter().any(|contender| contender.program() == program) {
                continue;
            }
            let path = self.path(program);
            match version(path, program == Program::Haproxy).await {
                Ok(version) => {
                    notes.push(format!("{program} {version}"));
                    present.push(program);
                }
                Err(error) if self.named.contains(&program) => {
                    return Err(format!("cannot run {}: {error}", path.display()).into());
                }
                Err(error) => {
                    notes.push(format!("{program}: LEFT OUT, {error}; {}", program.remedy()));
                }
            }
        }
        let there = |contender: &Contender| present.contains(&contender.program());
        let mut contenders: Vec<Contender> = wanted.iter().copied().filter(there).collect();
        contenders.dedup();
        Ok((contenders, notes))
    }
}

/// The version of `program`; `short` for those that know only -v.
async fn version(program: &Path, short: bool) -> std::io::Result<String> {
    let flag = if short { "-v" } else { "--version" };
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(version_in(&text).unwrap_or("of unknown version").to_owned())
}

/// The first thing in `text` that looks like a version: numbers with dots between them.
fn version_in(text: &str) -> Option<&str> {
    let words = text.split(|letter: char| letter.is_whitespace() || letter == '/');
    let mut words = words.map(|word| word.split('-').next().unwrap_or(word));
    words.find(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() > 1 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say_of_themselves() {
        let haproxy = "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n";
        assert_eq!(version_in(haproxy), Some("2.6.12"));
        let envoy = "\nenvoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL\n";
        assert_eq!(version_in(envoy), Some("1.40.0"));
        assert_eq!(version_in("metaproto 0.1.0\n"), Some("0.1.0"));
        assert_eq!(version_in("none"), None);
    }
}
