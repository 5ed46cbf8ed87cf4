//! What the derive costs at compile time: a crate with many derived frames, against the same frames with
//! reading and writing written out by hand. Only the crate itself is timed; what it depends on is built
//! before.

mod generate;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use metaproto_benches::table;

type Failure = Box<dyn Error>;

/// Something that cargo is told to do.
struct Task {
    name: &'static str,
    arguments: &'static [&'static str],
}

const TASKS: [Task; 2] = [
    Task { name: "check", arguments: &["check"] },
    Task { name: "release build", arguments: &["build", "--release"] },
];

/// Times cargo on a crate of derived frames, one of frames by hand, and an empty one.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many frames the crates have
    #[arg(long, default_value_t = 50)]
    frames: usize,
    /// How many times each is built; the fastest counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

fn main() -> Result<(), Failure> {
    let Arguments { frames, rounds } = Arguments::parse();
    let workspace = Workspace::new(frames)?;
    for task in &TASKS {
        workspace.cargo(task, &[])?;
    }
    let mut rows: Vec<_> =
        workspace.crates.iter().map(|member| vec![member.label.to_owned()]).collect();
    let mut heading = vec![format!("{frames} frames")];
    for task in &TASKS {
        let times = workspace.times(task, rounds)?;
        heading.extend([
            format!("{}, ms", task.name),
            "÷ by hand".to_owned(),
            "ms per frame".to_owned(),
        ]);
        for (row, cells) in rows.iter_mut().zip(cells(&times, frames)) {
            row.extend(cells);
        }
    }
    print!("{}", table::markdown(&heading, &rows));
    Ok(())
}

/// The cells of one task for each crate: its time, relative to by hand, and what it takes for a frame
/// beyond what an empty crate takes.
fn cells(times: &[Duration], frames: usize) -> Vec<[String; 3]> {
    let milliseconds: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    let [empty, by_hand, ..] = milliseconds[..] else {
        return Vec::new();
    };
    let cells = |&time: &f64| {
        let per_frame = (time - empty) / frames as f64;
        [format!("{time:.0}"), format!("{:.2}", time / by_hand), format!("{per_frame:.1}")]
    };
    milliseconds.iter().map(cells).collect()
}

/// One of the crates that are timed.
struct Crate {
    name: &'static str,
    label: &'static str,
    source: String,
}

/// A cargo workspace in a temporary directory, which goes with it.
struct Workspace {
    directory: tempfile::TempDir,
    /// The empty one, the one by hand, and the derived one, in this order.
    crates: [Crate; 3],
}

impl Workspace {
    fn new(frames: usize) -> Result<Self, Failure> {
        let crates = [
            Crate { name: "empty", label: "an empty crate", source: String::new() },
            Crate { name: "by-hand", label: "by hand", source: generate::by_hand(frames) },
            Crate { name: "derived", label: "derived", source: generate::derived(frames) },
        ];
        let workspace = Workspace { directory: tempfile::tempdir()?, crates };
        let root = workspace.directory.path();
        fs::write(root.join("Cargo.toml"), generate::workspace_manifest(&workspace.names()))?;
        // The same versions as ours: nothing has to be downloaded.
        fs::copy(sources().join("Cargo.lock"), root.join("Cargo.lock"))?;
        for member in &workspace.crates {
            fs::create_dir_all(root.join(member.name).join("src"))?;
            let manifest = generate::manifest(member.name, &sources().join("metaproto-core"));
            fs::write(root.join(member.name).join("Cargo.toml"), manifest)?;
            workspace.write_source(member)?;
        }
        Ok(workspace)
    }

    fn names(&self) -> Vec<&str> {
        self.crates.iter().map(|member| member.name).collect()
    }

    /// Writes the source, anew if it is there: cargo then builds it again.
    fn write_source(&self, member: &Crate) -> Result<(), Failure> {
        let path = self.directory.path().join(member.name).join("src/lib.rs");
        Ok(fs::write(path, &member.source)?)
    }

    /// The fastest time of `task` for each crate. They take turns, so that what disturbs the machine
    /// disturbs all of them.
    fn times(&self, task: &Task, rounds: usize) -> Result<[Duration; 3], Failure> {
        let mut fastest = [Duration::MAX; 3];
        for _ in 0..rounds {
            for (member, fastest) in self.crates.iter().zip(&mut fastest) {
                self.write_source(member)?;
                let start = Instant::now();
                self.cargo(task, &["--package", member.name])?;
                *fastest = start.elapsed().min(*fastest);
            }
        }
        Ok(fastest)
    }

    fn cargo(&self, task: &Task, more: &[&str]) -> Result<(), Failure> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let status = Command::new(cargo)
            .args(task.arguments)
            .args(["--quiet", "--offline"])
            .args(more)
            .current_dir(self.directory.path())
            .env("CARGO_TARGET_DIR", self.directory.path().join("target"))
            .env("CARGO_INCREMENTAL", "0") // or the second time would find everything done
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("cargo has failed: {}", task.name).into())
        }
    }
}

/// The workspace that this program was built from.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
