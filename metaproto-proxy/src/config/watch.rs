//! Following a configuration file.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Config, Error, Protocols};

/// How often the file is looked at. A change counts when two looks find the same, so that a file
/// that is being written is not taken for what it will be.
const INTERVAL: Duration = Duration::from_millis(250);

/// What the command line says, whatever the file says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides {
    /// Takes the place of [`Config::workers`].
    pub workers: Option<usize>,
    /// Takes the place of [`Config::admin`].
    pub admin: Option<SocketAddr>,
}

/// A configuration file that is watched.
///
/// The content is read and compared again and again. That costs next to nothing for a file of this
/// size, and unlike notifications of the file system it works for editors that write in place, for
/// those that rename, for symbolic links that are swapped (as Kubernetes does), and over networks.
#[derive(Debug, Clone)]
pub struct Watched {
    path: PathBuf,
    protocols: Protocols,
    overrides: Overrides,
    seen: Content,
}

/// What a look at the file has found.
type Content = Result<Vec<u8>, io::ErrorKind>;

impl Watched {
    /// Loads the file at `path`, and remembers what it has seen.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn open(
        path: PathBuf,
        protocols: Protocols,
        overrides: Overrides,
    ) -> Result<(Self, Config), Error> {
        let content = std::fs::read(&path);
        let seen = summary(&content);
        let watched = Watched { path, protocols, overrides, seen };
        let config = watched.decode(content)?;
        Ok((watched, config))
    }

    /// Waits until the file is another, and loads it.
    ///
    /// # Errors
    /// As [`Config::load`]. The next call waits for the next change.
    pub async fn changed(&mut self) -> Result<Config, Error> {
        let mut before = self.seen.clone();
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = summary(&self.look().await);
            if now == before && now != self.seen {
                return self.reload().await;
            }
            before = now;
        }
    }

    /// Loads the file, changed or not.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub async fn reload(&mut self) -> Result<Config, Error> {
        let content = self.look().await;
        self.seen = summary(&content);
        let this = self.clone();
        // Looking the names of listeners up may take seconds.
        let config = tokio::task::spawn_blocking(move || this.decode(content)).await;
        config.unwrap_or_else(|e| Err(Error::new("", format!("can't be loaded: {e}"))))
    }

    async fn look(&self) -> io::Result<Vec<u8>> {
        let path = self.path.clone();
        let content = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        content.unwrap_or_else(|e| Err(io::Error::other(e)))
    }

    fn decode(&self, content: io::Result<Vec<u8>>) -> Result<Config, Error> {
        let mut config = Config::read(content, &self.path, &self.protocols)?;
        config.workers = self.overrides.workers.or(config.workers);
        config.admin = self.overrides.admin.or(config.admin);
        Ok(config)
    }
}

fn summary(content: &io::Result<Vec<u8>>) -> Content {
    match content {
        Ok(bytes) => Ok(bytes.clone()),
        Err(error) => Err(error.kind()),
    }
}

/// Hands every change of the file to `apply`, for ever; SIGHUP loads the file at once. A file that
/// can't be used is reported to the log, and the running configuration stays.
///
/// `workers`, `drain_timeout` and `admin` can't change while the proxy runs: what `apply` is given
/// has those of `running`.
///
/// # Errors
/// That SIGHUP can't be listened to.
pub async fn follow<E: fmt::Display>(
    mut watched: Watched,
    running: Config,
    mut apply: impl AsyncFnMut(Config) -> Result<(), E>,
) -> io::Result<()> {
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    loop {
        let loaded = tokio::select! {
            loaded = watched.changed() => loaded,
            _ = hangup.recv() => watched.reload().await,
        };
        let file = watched.path.display();
        let applied = match loaded {
            Ok(config) => {
                apply(keep_fixed(config, &running)).await.map_err(|e| format!("{file}: {e}"))
            }
            Err(error) => Err(error.to_string()),
        };
        match applied {
            Ok(()) => tracing::info!("{file} is applied"),
            Err(error) => tracing::error!("{error}; the running configuration stays"),
        }
    }
}

fn keep_fixed(mut config: Config, running: &Config) -> Config {
    let changed = [
        ("workers", config.workers != running.workers),
        ("drain_timeout", config.drain_timeout != running.drain_timeout),
        ("admin.address", config.admin != running.admin),
    ];
    for (key, _) in changed.into_iter().filter(|(_, changed)| *changed) {
        tracing::warn!("{key}: the change takes effect at the next start");
    }
    config.workers = running.workers;
    config.drain_timeout = running.drain_timeout;
    config.admin = running.admin;
    config
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::sync::mpsc;

    use super::super::tests::fake::protocols;
    use super::*;

    /// A good file, with this many milliseconds as its only difference.
    fn text(ms: u64) -> String {
        format!(
            "workers: 1\nlisteners:\n- address: 127.0.0.1:9000\n  protocol: fake\n  \
             idle_timeout: {ms}ms\n  upstream: [127.0.0.1:9001]\n"
        )
    }

    fn idle_timeout(config: &Config) -> u128 {
        config.snapshot.listeners[0].idle_timeout.map_or(0, |timeout| timeout.as_millis())
    }

    fn open(path: &Path) -> (Watched, Config) {
        Watched::open(path.to_owned(), protocols(), Overrides::default()).unwrap()
    }

    #[tokio::test]
    async fn a_change_is_loaded_and_a_mistake_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.yaml");
        std::fs::write(&path, text(1)).unwrap();
        let (mut watched, config) = open(&path);
        assert_eq!(idle_timeout(&config), 1);
        std::fs::write(&path, text(2)).unwrap();
        assert_eq!(idle_timeout(&watched.changed().await.unwrap()), 2);
        std::fs::write(&path, text(3).replace("fake", "smoke")).unwrap();
        let error = watched.changed().await.unwrap_err();
        assert_eq!((error.path.as_str(), error.place), ("listeners[0].protocol", Some((4, 13))));
        std::fs::remove_file(&path).unwrap();
        let error = watched.changed().await.unwrap_err().to_string();
        assert!(error.contains("can't be read"), "{error}");
        std::fs::write(&path, text(4)).unwrap();
        assert_eq!(idle_timeout(&watched.changed().await.unwrap()), 4);
    }

    /// As Kubernetes does with mounted configuration.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_swapped_link_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), text(1)).unwrap();
        std::fs::write(at("b"), text(2)).unwrap();
        std::os::unix::fs::symlink(at("a"), at("proxy.yaml")).unwrap();
        let (mut watched, _) = open(&at("proxy.yaml"));
        std::os::unix::fs::symlink(at("b"), at("next")).unwrap();
        std::fs::rename(at("next"), at("proxy.yaml")).unwrap();
        assert_eq!(idle_timeout(&watched.changed().await.unwrap()), 2);
    }

    #[tokio::test]
    async fn what_is_fixed_at_the_start_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.yaml");
        std::fs::write(&path, text(1)).unwrap();
        let overrides = Overrides { workers: Some(3), admin: None };
        let (watched, running) = Watched::open(path.clone(), protocols(), overrides).unwrap();
        assert_eq!(running.workers, Some(3));
        let (applied, mut seen) = mpsc::unbounded_channel();
        let apply = async |config: Config| applied.send(config).map_err(|e| e.to_string());
        let changes = async {
            std::fs::write(&path, format!("drain_timeout: 1s\n{}", text(2))).unwrap();
            seen.recv().await.unwrap()
        };
        let config = tokio::select! {
            ended = follow(watched, running, apply) => panic!("{ended:?}"),
            config = changes => config,
        };
        assert_eq!((idle_timeout(&config), config.workers), (2, Some(3)));
        assert_eq!(config.drain_timeout, None);
    }
}
