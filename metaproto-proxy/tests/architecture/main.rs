//! The rules of `docs/architecture.md`, executable: who may know whom, and how long a file may be.
//!
//! Every rule is a function from files to complaints, so that it runs on the real tree and, in
//! [`planted`], on files that break it.

mod planted;
mod source;

use self::source::{File, code, paths, without_tests, words, workspace};

/// The most lines of a file that are not tests.
const MAX_LINES: usize = 400;

/// From files to complaints, each as `file:line: what, and the rule`.
type Rule = fn(&[File]) -> Vec<String>;

/// What the modules of a place may mention.
struct Imports {
    within: &'static str,
    except: &'static [&'static str],
    /// None of these paths.
    never: &'static [&'static str],
    /// Of their own crate these modules only; empty for all.
    only: &'static [&'static str],
    why: &'static str,
}

/// What is not on the path of a request.
const OFF_THE_PATH: &[&str] =
    &["metaproto-proxy/src/config/", "metaproto-proxy/src/telemetry/", "metaproto-proxy/src/bin/"];

const IMPORTS: &[Imports] = &[
    Imports {
        within: "metaproto-proxy/src/",
        except: OFF_THE_PATH,
        never: &["crate::config", "crate::telemetry", "clap", "humantime", "tracing_subscriber"],
        only: &[],
        why: "the engine does not know where a snapshot comes from and who reads its counters",
    },
    Imports {
        within: "metaproto-proxy/src/",
        except: OFF_THE_PATH,
        never: &["serde", "serde_saphyr", "serde_path_to_error"],
        only: &[],
        why: "formats end in the model",
    },
    Imports {
        within: "metaproto-proxy/src/",
        except: OFF_THE_PATH,
        never: &["hyper", "hyper_util", "http_body_util"],
        only: &[],
        why: "HTTP is for the admin endpoint",
    },
    Imports {
        within: "metaproto-proxy/src/model/",
        except: &[],
        never: &["tokio", "tracing"],
        only: &["model"],
        why: "the model is plain data, and knows nobody",
    },
    Imports {
        within: "metaproto-proxy/src/config/",
        except: &[],
        never: &[],
        only: &["config", "model"],
        why: "configuration ends in the model",
    },
    Imports {
        within: "metaproto-proxy/src/telemetry/",
        except: &[],
        never: &[],
        only: &["telemetry", "counters", "Handle"],
        why: "telemetry reads what was counted, and can be deleted",
    },
    Imports {
        within: "metaproto-core/src/",
        except: &[],
        never: &["tokio", "mio", "socket2", "hyper", "http", "serde", "tracing", "metaproto_proxy"],
        only: &[],
        why: "a codec is bytes in, facts out: no sockets, tasks, formats or logs",
    },
    Imports {
        within: "codecs/",
        // Bodies in JSON are that protocol's own.
        except: &["codecs/dubbo/src/body/json.rs"],
        never: &["tokio", "mio", "socket2", "hyper", "serde", "tracing", "metaproto_proxy"],
        only: &[],
        why: "a codec knows metaproto-core and its protocol",
    },
];

#[test]
fn the_workspace_keeps_its_rules() {
    let files = workspace();
    assert!(files.iter().any(|file| file.path == "metaproto-proxy/src/exchange.rs"));
    let rules: [Rule; 6] = [arrows, imports, protocol_names, lengths, unsafe_code, machine_paths];
    let complaints: Vec<_> = rules.iter().flat_map(|rule| rule(&files)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Crates depend on each other in one direction, and codecs and the engine not at all.
fn arrows(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let Some(name) = file.path.strip_suffix("/Cargo.toml") else { continue };
        let (may, may_optionally): (&[&str], &[&str]) = match name {
            "metaproto-core" => (&["metaproto-core"], &["metaproto-derive"]),
            "metaproto-derive" => (&[], &[]),
            // The codecs are for the binary; that the library does not name them is another rule.
            "metaproto-proxy" => (&["metaproto-core"], &["metaproto-"]),
            "examples" | "benches" | "fuzz" => continue,
            codec if codec.starts_with("codecs/") => (&["metaproto-core"], &[]),
            _ => {
                complaints.push(format!("{}:1: a crate that no rule knows", file.path));
                continue;
            }
        };
        for (number, line) in dependencies(&file.text) {
            let optional = line.replace(' ', "").contains("optional=true");
            for found in words(&line).filter(|word| word.starts_with("metaproto-")) {
                let allowed = may.contains(&found)
                    || optional && may_optionally.iter().any(|prefix| found.starts_with(prefix));
                if !allowed {
                    let rule = "codecs -> core, proxy -> core, core -(feature)-> derive";
                    let what = format!("{name} depends on {found}; the only arrows are {rule}");
                    complaints.push(format!("{}:{number}: {what}", file.path));
                }
            }
        }
    }
    complaints
}

/// The lines of a manifest that name dependencies of any kind, with their numbers.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut within = false;
    let mut lines = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.starts_with('[') {
            within = line.contains("dependencies");
        }
        if within {
            lines.push((index + 1, line.to_owned()));
        }
    }
    lines
}

/// Modules mention what they may know, and nothing else.
fn imports(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let here = |places: &[&str]| places.iter().any(|place| file.path.starts_with(place));
        let rules: Vec<_> =
            IMPORTS.iter().filter(|rule| here(&[rule.within]) && !here(rule.except)).collect();
        for (number, path) in paths(&code(&file.text)) {
            for rule in rules.iter().filter(|rule| rule.is_broken_by(&path)) {
                let why = rule.why;
                complaints.push(format!("{}:{number}: mentions {path}: {why}", file.path));
            }
        }
    }
    complaints
}

impl Imports {
    fn is_broken_by(&self, path: &str) -> bool {
        let own = path.strip_prefix("crate::").filter(|_| !self.only.is_empty());
        let foreign = own.is_some_and(|own| !self.only.iter().any(|only| starts(own, only)));
        // Who climbs may arrive at the root of the crate.
        let climbed = path.trim_start_matches("super::");
        let from_root = format!("crate::{climbed}");
        let full = if climbed.len() < path.len() { &from_root } else { path };
        foreign || self.never.iter().any(|never| starts(full, never))
    }
}

fn starts(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The library of the proxy names no protocol, not even in comments: a new one is a new crate.
fn protocol_names(files: &[File]) -> Vec<String> {
    let codecs = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("codecs/")?.strip_suffix("/Cargo.toml")?;
        Some(name.to_owned())
    });
    let mut names: Vec<_> = ["awesome", "dubbo", "thrift", "hessian"].map(str::to_owned).into();
    names.extend(codecs.filter(|codec| !codec.starts_with("awesome")));
    let library = files.iter().filter(|file| {
        file.path.starts_with("metaproto-proxy/src/")
            && !file.path.starts_with("metaproto-proxy/src/bin/")
    });
    find(library, |line| {
        let line = line.to_ascii_lowercase();
        let name = names.iter().find(|name| line.contains(*name))?;
        Some(format!("names a protocol, {name:?}: the engine knows capabilities, not names"))
    })
}

/// A file is one concept that fits a few screens; its tests do not count.
fn lengths(files: &[File]) -> Vec<String> {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
    let sources = files.iter().filter(|f| f.path.ends_with(".rs") && !is_test(&f.path));
    let counted = sources.map(|file| (file, without_tests(&file.text)));
    let long = counted.filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(file, lines)| {
        let line = MAX_LINES + 1;
        format!("{}:{line}: {lines} lines without tests; the most is {MAX_LINES}", file.path)
    })
    .collect()
}

/// The compiler forbids it in the workspace; this also looks where its lints do not reach.
fn unsafe_code(files: &[File]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.path.ends_with(".rs"));
    let codes = sources.map(|f| File { path: f.path.clone(), text: code(&f.text) });
    find(&codes.collect::<Vec<_>>(), |line| {
        words(line).any(|word| word == "unsafe").then(|| "unsafe code: there is none".to_owned())
    })
}

/// What is committed works on every machine.
fn machine_paths(files: &[File]) -> Vec<String> {
    // Taken apart, so that this file may be looked at, too.
    let homes = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/wo", "rk/"], ["C:", "\\"]];
    let homes = homes.map(|parts| parts.concat());
    find(files, |line| {
        let home = homes.iter().find(|home| line.contains(*home))?;
        Some(format!("a path of one machine, {home}"))
    })
}

/// Complains about the lines of which `wrong` tells something.
fn find<'a>(
    files: impl IntoIterator<Item = &'a File>,
    wrong: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(what) = wrong(line) {
                complaints.push(format!("{}:{}: {what}", file.path, index + 1));
            }
        }
    }
    complaints
}
