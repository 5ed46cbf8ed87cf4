//! The run, phase by phase.

mod crowd;
mod reckon;

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use self::crowd::Crowd;
use crate::backend::{Backend, Fault};
use crate::config::Places;
use crate::ledger::{Book, Ledger};
use crate::proxy::Proxy;
use crate::speech::Speech;
use crate::{Arguments, Failure};

/// Servers that get copies only.
const SHADOWS: usize = 2;
/// How long the proxy may drain, in seconds.
const DRAIN: u64 = 4;
/// What it may take longer than that to end.
const MARGIN: Duration = Duration::from_secs(3);
/// How long all is well before the chaos.
const CALM: Duration = Duration::from_secs(1);
/// How soon after the chaos every call must succeed.
const RECOVERY: Duration = Duration::from_secs(6);
/// How long the load goes on when the proxy is asked to end.
const LAST: Duration = Duration::from_millis(700);

/// Everything that takes part.
#[derive(Debug)]
struct Stage {
    arguments: Arguments,
    rng: RefCell<Rng>,
    speech: Rc<Speech>,
    book: Book,
    places: Places,
    backends: Vec<Rc<Backend>>,
    /// Those that get copies only.
    shadows: Vec<Rc<Backend>>,
    /// The next client's number.
    clients: Cell<u32>,
    /// How many times slower than usual changes come.
    pace: Cell<u64>,
    /// Changes of configuration so far.
    reloads: Cell<u32>,
    folder: PathBuf,
}

/// Runs all phases. Tells how many violations there were.
pub(crate) async fn run(arguments: &Arguments) -> Result<usize, Failure> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let protocol = arguments.protocol.name();
    println!("soak: {protocol}, {} s, --seed {seed}", arguments.seconds);
    let folder = tempfile::Builder::new().prefix("soak-").tempdir()?;
    let stage = Stage::new(arguments, seed, &folder)?;
    let file = folder.path().join("proxy.yaml");
    std::fs::write(&file, stage.places.plain())?;
    let beside = || std::env::current_exe().map(|own| own.with_file_name("metaproto"));
    let program = arguments.metaproto.clone().map_or_else(beside, Ok)?;
    let mut proxy = Proxy::start(&program, &file, stage.places.admin).await?;
    let outcome = stage.play(&mut proxy).await;
    for panic in proxy.panics() {
        stage.book.borrow_mut().violation_with("the proxy panics", None, panic);
    }
    let violations = stage.book.borrow().violations();
    if outcome.is_err() || violations > 0 {
        println!("the proxy's log and its last configuration are in {}", folder.keep().display());
        println!("again: --protocol {protocol} --seconds {} --seed {seed}", arguments.seconds);
    }
    outcome.map(|()| violations)
}

impl Stage {
    fn new(arguments: &Arguments, seed: u64, folder: &TempDir) -> Result<Self, Failure> {
        let mut rng = Rng::with_seed(seed);
        let speech = Rc::new(Speech::new(arguments.protocol));
        let book = Rc::new(RefCell::new(Ledger::new()));
        let mut addresses = Vec::new();
        for _ in 0..arguments.backends + 3 + SHADOWS {
            addresses.push(free_address(&addresses)?);
        }
        let shadows = addresses.split_off(arguments.backends + 3);
        let backends = addresses.split_off(3);
        let places = Places {
            protocol: arguments.protocol,
            workers: arguments.workers,
            drain: DRAIN,
            listen: addresses[0],
            second: addresses[1],
            admin: addresses[2],
            backends: backends.clone(),
            shadows: shadows.clone(),
        };
        let mut start = |shadow: bool, addresses: Vec<SocketAddr>| {
            let start = |(number, address)| {
                let (speech, book) = (speech.clone(), book.clone());
                Backend::start((number, shadow), address, speech, book, rng.fork())
            };
            addresses.into_iter().enumerate().map(start).collect()
        };
        let (backends, shadows) = (start(false, backends), start(true, shadows));
        Ok(Stage {
            arguments: arguments.clone(),
            rng: RefCell::new(rng),
            speech,
            book,
            places,
            backends,
            shadows,
            clients: Cell::new(1),
            pace: Cell::new(1),
            reloads: Cell::new(0),
            folder: folder.path().to_owned(),
        })
    }

    async fn play(&self, proxy: &mut Proxy) -> Result<(), Failure> {
        let faults = &self.arguments.faults;
        let fair = !faults.is_empty() && faults.iter().all(|fault| fault.is_fair());
        self.book.borrow_mut().fair = fair;
        self.crowd(true).brief().run(CALM).await;
        self.report("calm");
        let chaos = Duration::from_secs(self.arguments.seconds);
        self.chaos(proxy, chaos).await?;
        self.recover(proxy).await?;
        self.settle(proxy).await?;
        self.stop(proxy).await
    }

    /// Everything at once, for a while.
    async fn chaos(&self, proxy: &mut Proxy, time: Duration) -> Result<(), Failure> {
        let memory = Cell::new(0);
        {
            let crowd = self.crowd(false);
            tokio::select! {
                () = crowd.run(time) => {}
                () = self.misbehave() => {}
                outcome = self.reconfigure(proxy) => outcome?,
                outcome = self.watch(proxy, time, &memory) => outcome?,
            }
        }
        if let Some(status) = proxy.ended()? {
            return Err(format!("the proxy ended with {status}:\n{}", proxy.words()).into());
        }
        self.report("chaos");
        self.judge_memory(proxy, memory.get());
        Ok(())
    }

    /// Backends change their ways: in a storm to anything, one after the other; in steady weather to
    /// few things, so that connections grow old and full.
    async fn misbehave(&self) {
        let all = Fault::all(&self.speech);
        let chosen = &self.arguments.faults;
        let faults = if chosen.is_empty() { &all } else { chosen };
        loop {
            let (until, faults) = {
                let mut rng = self.rng.borrow_mut();
                let storm = rng.bool();
                self.pace.set(if storm { 1 } else { 5 });
                let few = rng.choose_multiple(faults, 2).into_iter().copied();
                let faults = if storm { faults.clone() } else { few.collect() };
                (Instant::now() + Duration::from_millis(rng.u64(1500..6000)), faults)
            };
            for backend in self.backends.iter().chain(&self.shadows) {
                self.change(backend, &faults);
            }
            while Instant::now() < until {
                let pause = self.rng.borrow_mut().u64(..600);
                sleep(Duration::from_millis(pause * self.pace.get())).await;
                let backend = self.rng.borrow_mut().choice(&self.backends).cloned();
                backend.iter().for_each(|backend| self.change(backend, &faults));
            }
        }
    }

    fn change(&self, backend: &Backend, faults: &[Fault]) {
        let fault = self.rng.borrow_mut().choice(faults).copied().unwrap_or(Fault::None);
        self.book.borrow_mut().remark(format!("backend {}: {fault:?}", backend.number));
        backend.become_faulty(fault);
    }

    /// The configuration changes, most of the time to a good one.
    async fn reconfigure(&self, proxy: &Proxy) -> Result<(), Failure> {
        let most = self.arguments.reload * 2;
        if most == 0 {
            std::future::pending::<()>().await;
        }
        let mut second = false;
        loop {
            let (text, bounded, at_once, pause) = {
                let mut rng = self.rng.borrow_mut();
                second ^= rng.u8(..6) == 0;
                let bad = rng.u8(..10) == 0;
                // For a while, and then not: it excuses much.
                let bounded = self.reloads.get() / 8 % 3 == 1;
                let text = match bad {
                    true => self.places.bad(&mut rng),
                    false => self.places.random(&mut rng, &self.speech, (second, bounded)),
                };
                let pause = rng.u64(..most) * self.pace.get();
                (text, bounded, rng.bool(), pause)
            };
            self.book.borrow_mut().bound(bounded);
            let number = self.reloads.get() + 1;
            self.reloads.set(number);
            self.book.borrow_mut().remark(format!("configuration {number}"));
            std::fs::write(self.folder.join(format!("{number}.yaml")), &text)?;
            proxy.configure(&text, at_once)?;
            sleep(Duration::from_millis(pause)).await;
        }
    }

    /// After the chaos every call must succeed soon, and then for good.
    async fn recover(&self, proxy: &Proxy) -> Result<(), Failure> {
        self.backends
            .iter()
            .chain(&self.shadows)
            .for_each(|backend| backend.become_faulty(Fault::None));
        self.book.borrow_mut().remark("all is well again".to_owned());
        self.book.borrow_mut().bound(false);
        proxy.configure(&self.places.plain(), true)?;
        let began = Instant::now();
        loop {
            let failed = self.failed();
            self.probe().run(Duration::from_millis(300)).await;
            if self.failed() == failed {
                break;
            }
            if began.elapsed() > RECOVERY {
                let what = "calls fail long after the chaos";
                self.book.borrow_mut().violation(what, None);
                break;
            }
        }
        println!("recovered after {:.1} s", began.elapsed().as_secs_f64());
        self.crowd(true).brief().run(CALM * 2).await;
        self.report("all is well");
        Ok(())
    }

    /// SIGTERM under load: the proxy ends in time, and says that all is well.
    async fn stop(&self, proxy: &mut Proxy) -> Result<(), Failure> {
        let began = Cell::new(Instant::now());
        self.book.borrow_mut().fair = false;
        let faults = [Fault::Late, Fault::BlackHole, Fault::Mixed];
        for (backend, fault) in self.backends.iter().step_by(2).zip(faults) {
            backend.become_faulty(fault);
        }
        let status = {
            let load = self.last_crowd();
            let load = load.run(LAST * 2);
            let end = async {
                sleep(LAST).await;
                self.book.borrow_mut().drained = Some(Instant::now());
                self.book.borrow_mut().remark("SIGTERM".to_owned());
                began.set(Instant::now());
                proxy.signal(Signal::TERM)?;
                proxy.wait(Duration::from_secs(DRAIN) + MARGIN).await
            };
            let ((), status) = tokio::join!(load, end);
            status?
        };
        self.report("end");
        println!("ended with {status}, {:.1} s after SIGTERM", began.get().elapsed().as_secs_f64());
        if !status.success() {
            let mut ledger = self.book.borrow_mut();
            ledger.violation_with("the proxy does not end well", None, proxy.words());
        }
        let ledger = self.book.borrow();
        if ledger.totals.open() > 0 {
            drop(ledger);
            let mut ledger = self.book.borrow_mut();
            let totals = ledger.totals.to_string();
            ledger.violation_with("calls are missing", None, totals);
        }
        Ok(())
    }

    /// Calls so far that had no response.
    fn failed(&self) -> u64 {
        let totals = &self.book.borrow().totals;
        totals.errors() + totals.closed + totals.hanging
    }

    fn report(&self, phase: &str) {
        println!("{phase}: {}", self.book.borrow().totals);
    }

    fn crowd(&self, strict: bool) -> Crowd<'_> {
        Crowd::new(self, self.arguments.clients, strict)
    }

    /// Few clients, to see whether calls succeed.
    fn probe(&self) -> Crowd<'_> {
        Crowd::new(self, 10, true).unnoticed().brief()
    }

    fn last_crowd(&self) -> Crowd<'_> {
        Crowd::new(self, self.arguments.clients, true).unnoticed()
    }
}

/// A loopback address that is free, with a port that no client connection gets: a proxy that connects
/// to a port of its own would talk to itself.
fn free_address(taken: &[SocketAddr]) -> Result<SocketAddr, Failure> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    let first: u16 = first.unwrap_or(32_768);
    for _ in 0..1000 {
        let port = fastrand::u16(first.saturating_sub(20_000).max(1024)..first.max(2048));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if !taken.contains(&address) && TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err("no port is free".into())
}
