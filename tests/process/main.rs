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
use wxtoken_platform::{Account, Platform};

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

#[test]
fn two_processes_killed_500_times_never_leave_a_torn_file() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (cache, workers_log) = (home.path().join("token.json"), home.path().join("workers.log"));
    let account =
        Account::official("wx0123456789abcdef", "a secret").life_s(60).quotas(|q| q.token_per_day = 1_000_000);
    let began_ms = real_ms();
    let platform = Platform::builder()
        .account(account)
        .start_at_ms(BEGINNING)
        .speed(SPEED as f64)
        .start()
        .expect("the platform starts");
    let base = platform.http_url().to_string();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let start = || Worker::start(&base, &cache, began_ms, &workers_log);
    let mut workers = [start(), start()];
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let (mut whole, mut held) = (0, 0);
    tracing::subscriber::with_default(subscriber, || {
        for round in 0..ROUNDS {
            chance = chance.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            // Between the start of a process and a few of its fetches.
            thread::sleep(Duration::from_micros(chance >> 50));
            let victim = (round % 2) as usize;
            workers[victim].kill();
            if let Ok(bytes) = fs::read(&cache) {
                assert!(bytes.ends_with(b"\"}\n"), "round {round}: torn");
                let reader = Client::builder(&Endpoint::TOKEN, "wx0123456789abcdef", "a secret")
                    .base(base.clone())
                    .cache(cache.clone())
                    .clock(FastClock { began_ms })
                    .transport(Down)
                    .background(false)
                    .build()
                    .expect("fine");
                held += u32::from(reader.token_within(Duration::from_millis(1)).is_ok());
                whole += 1;
            }
            workers[victim] = start();
        }
    });
    drop(workers);
    let minted = platform.counters().account("wx0123456789abcdef").minted;
    println!("{ROUNDS} kills: {whole} whole files read, {held} with a token still valid; {minted} tokens minted");
    let logs = log.text() + &fs::read_to_string(&workers_log).expect("the workers' log");
    for word in ["torn", "checksum", "another account", "from the future", "panicked"] {
        assert!(
            !logs.contains(word),
            "{word}:\n{}",
            logs.lines().filter(|l| l.contains(word)).collect::<Vec<_>>().join("\n")
        );
    }
    assert!(whole > ROUNDS / 2 && held > 0 && minted > 10, "it did happen");
    // One fetch for each token that was needed, and at most one more for each process killed between reply and file.
    let needed = (real_ms() - began_ms) * SPEED / 30_000 + 1;
    assert!(minted <= needed + u64::from(ROUNDS), "{minted} minted, {needed} needed");
}
