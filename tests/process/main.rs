//! What survives `kill -9`? Two processes share one cache on a world a thousand times as fast as ours, and one of them
//! is killed at a random point, 500 times. Whoever reads the file afterwards finds a whole one.

mod clock;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use clock::{BEGINNING, FastClock, SPEED, real_ms};
use tracing_subscriber::fmt::MakeWriter;
use wxtoken::{Client, Endpoint, Request, Response, Transport, TransportError};
use wxtoken_platform::{Account, Platform, Running};

const ID: &str = "wx0123456789abcdef";
const ROUNDS: u32 = 500;

/// A network that is down: a reader of the file must not mend it by fetching.
struct Down;

impl Transport for Down {
    fn exchange(&self, _: &Request<'_, '_>) -> Result<Response, TransportError> {
        Err(TransportError::ConnectionRefused)
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(text);
        Ok(text.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics with it")).into_owned()
    }
}

/// Lets the workers run until something is so, however slow the machine is.
fn until(condition: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("it did not come about within a minute");
}

/// A worker that does not outlive the test.
struct Worker(Child);

impl Worker {
    fn start(base: &str, cache: &Path, began_ms: u64, log: &Path) -> Self {
        let log = fs::File::options().append(true).create(true).open(log).expect("a log file");
        let child = Command::new(env!("CARGO_BIN_EXE_cache-worker"))
            .arg(base)
            .arg(cache)
            .arg(began_ms.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the worker starts");
        Self(child)
    }

    /// SIGKILL, and gone.
    fn kill(&mut self) {
        self.0.kill().expect("killed");
        let status = self.0.wait().expect("gone");
        assert!(!status.success() && status.code().is_none(), "it was alive until killed: {status}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The platform of a world in which tokens live for so many seconds.
fn platform(life_s: u32) -> Running {
    let account = Account::official(ID, "a secret").life_s(life_s).quotas(|q| q.token_per_day = 1_000_000);
    let builder = Platform::builder().account(account).start_at_ms(BEGINNING).speed(SPEED as f64);
    builder.start().expect("the platform starts")
}

/// Whether a client that cannot fetch finds a valid token in the file.
fn finds_a_token(base: &str, cache: &Path, began_ms: u64) -> bool {
    let reader = Client::builder(&Endpoint::TOKEN, ID, "a secret").base(base).cache(cache);
    let reader = reader.clock(FastClock { began_ms }).transport(Down).background(false).build().expect("fine");
    reader.token_within(Duration::from_millis(1)).is_ok()
}

#[test]
fn two_processes_killed_500_times_never_leave_a_torn_file() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (cache, workers_log) = (home.path().join("token.json"), home.path().join("workers.log"));
    let began_ms = real_ms();
    let platform = platform(60);
    let base = platform.http_url();
    let minted = || platform.counters().account(ID).minted;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let start = || Worker::start(&base, &cache, began_ms, &workers_log);
    let mut workers = [start(), start()];
    until(|| cache.exists());
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut held = 0;
    tracing::subscriber::with_default(subscriber, || {
        for round in 0..ROUNDS {
            if round % 8 == 0 {
                // A slow machine could spend all rounds starting programs.
                let so_far = minted();
                until(|| minted() > so_far);
            }
            chance = chance.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            // Between the start of a process and a few of its fetches.
            thread::sleep(Duration::from_micros(chance >> 50));
            let victim = (round % 2) as usize;
            workers[victim].kill();
            let bytes = fs::read(&cache).expect("once there, there at every moment");
            assert!(bytes.ends_with(b"\"}\n"), "round {round}: torn");
            held += u32::from(finds_a_token(&base, &cache, began_ms));
            workers[victim] = start();
        }
    });
    drop(workers);
    let minted = minted();
    println!("{ROUNDS} kills, as many whole files read, {held} with a token still valid; {minted} tokens minted");
    let logs = log.text() + &fs::read_to_string(&workers_log).expect("the workers' log");
    for word in ["torn", "checksum", "another account", "from the future", "panicked"] {
        assert!(
            !logs.contains(word),
            "{word}:\n{}",
            logs.lines().filter(|l| l.contains(word)).collect::<Vec<_>>().join("\n")
        );
    }
    // One fetch for each token that was needed: by either worker, since one that stalls with the lock for 12 ms (12 s of
    // this world) is not waited for. And at most one more for each process killed between reply and file.
    let needed = 2 * ((real_ms() - began_ms) * SPEED / 30_000 + 1);
    assert!(minted <= needed + u64::from(ROUNDS), "{minted} minted, {needed} needed");
}

/// Else reading whole files would show nothing. Tokens live a day, which is a minute and a half of ours: long enough for
/// a machine that stalls.
#[test]
fn what_a_killed_process_has_stored_is_served() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (cache, workers_log) = (home.path().join("token.json"), home.path().join("workers.log"));
    let began_ms = real_ms();
    let platform = platform(86_400);
    let base = platform.http_url();
    let mut worker = Worker::start(&base, &cache, began_ms, &workers_log);
    until(|| cache.exists());
    worker.kill();
    assert!(finds_a_token(&base, &cache, began_ms));
    assert_eq!(platform.counters().account(ID).minted, 1);
}
