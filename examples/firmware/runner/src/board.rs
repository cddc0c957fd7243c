//! How is an image booted, listened to, and ended? One emulator is one board.

use std::{
    io::{self, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::images::Image;

/// No case takes a quarter as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A board under power. It loses it when this is dropped.
pub(crate) struct Board<'a> {
    image: &'a Image,
    emulator: Child,
    said: Arc<Said>,
    readers: Vec<JoinHandle<io::Result<()>>>,
    complaints: Arc<Said>,
    began: Instant,
}

/// How a run ended.
pub(crate) struct Ended {
    /// The image's exit code; `None` when its power was cut.
    pub(crate) code: Option<i32>,
    /// Its log, as it came.
    pub(crate) log: Vec<u8>,
    /// What the emulator itself had to say.
    pub(crate) complaints: Vec<u8>,
}

/// What has been said so far.
#[derive(Default)]
struct Said {
    words: Mutex<Words>,
    grown: Condvar,
}

#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
    /// Nothing more will come.
    are_all: bool,
}

impl Said {
    fn listen(self: &Arc<Self>, mut output: impl Read + Send + 'static) -> JoinHandle<io::Result<()>> {
        let said = self.clone();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let n = match output.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    other => other?,
                };
                let mut words = said.words();
                words.bytes.extend_from_slice(&piece[..n]);
                words.are_all = n == 0;
                drop(words);
                said.grown.notify_all();
                if n == 0 {
                    return Ok(());
                }
            }
        })
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn so_far(&self) -> Vec<u8> {
        self.words().bytes.clone()
    }
}

impl<'a> Board<'a> {
    /// Boots `image` in the folder `at` with `words` as its command line; `more` are arguments of the emulator. The board
    /// reaches this machine's loopback as 10.0.2.2.
    pub(crate) fn boot(image: &'a Image, at: &Path, words: &[String], more: &[String]) -> io::Result<Self> {
        let mut semihosting = format!("enable=on,target=native,arg=gateway-{}", image.name);
        for word in words {
            semihosting += ",arg=";
            semihosting += word;
        }
        let began = now();
        let mut emulator = Command::new("qemu-system-arm")
            .args(["-M", "mps2-an385", "-display", "none", "-monitor", "none", "-serial", "null"])
            .args(["-nic", "user,id=lan,model=lan9118", "-semihosting-config", &semihosting])
            .args(more)
            .arg("-kernel")
            .arg(&image.path)
            .current_dir(at)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (said, complaints) = (Arc::<Said>::default(), Arc::<Said>::default());
        let mut readers = Vec::new();
        if let Some(output) = emulator.stdout.take() {
            readers.push(said.listen(output));
        }
        if let Some(output) = emulator.stderr.take() {
            readers.push(complaints.listen(output));
        }
        Ok(Self { image, emulator, said, readers, complaints, began })
    }

    /// Waits until so many lines contain `words`; false when `limit` passes first, or the board ends.
    pub(crate) fn says(&mut self, words: &str, times: usize, limit: Duration) -> io::Result<bool> {
        self.hears(limit, |lines| lines.iter().filter(|line| line.contains(words)).count() >= times)
    }

    /// Waits until a line contains one of `words`.
    pub(crate) fn says_one_of(&mut self, words: &[&str], limit: Duration) -> io::Result<bool> {
        self.hears(limit, |lines| lines.iter().any(|line| words.iter().any(|words| line.contains(words))))
    }

    fn hears(&mut self, limit: Duration, enough: impl Fn(&[String]) -> bool) -> io::Result<bool> {
        let until = now() + limit;
        loop {
            // The end of its output, and not that of the emulator, so that the last words count.
            let over = self.said.words().are_all || now() >= until;
            if enough(&self.image.reader.lines(&self.said.so_far()).lines) {
                return Ok(true);
            }
            if over {
                return Ok(false);
            }
            let words = self.said.words();
            drop(self.said.grown.wait_timeout(words, Duration::from_millis(20)));
        }
    }

    /// Waits until the image ends by itself, and cuts the power when it takes too long.
    pub(crate) fn wait(mut self) -> io::Result<Ended> {
        let code = loop {
            if let Some(status) = self.emulator.try_wait()? {
                break status.code();
            }
            if now().saturating_duration_since(self.began) > LIMIT {
                break None;
            }
            thread::sleep(Duration::from_millis(2));
        };
        self.finish(code)
    }

    /// Cuts the power.
    pub(crate) fn cut(self) -> io::Result<Ended> {
        self.finish(None)
    }

    fn finish(mut self, code: Option<i32>) -> io::Result<Ended> {
        self.power_off();
        for reader in self.readers.drain(..) {
            reader.join().map_err(|_| io::ErrorKind::Other)??;
        }
        Ok(Ended { code, log: self.said.so_far(), complaints: self.complaints.so_far() })
    }

    fn power_off(&mut self) {
        // It may be off already.
        drop(self.emulator.kill());
        drop(self.emulator.wait());
    }
}

impl Drop for Board<'_> {
    fn drop(&mut self) {
        self.power_off();
    }
}

/// This machine's time: an emulator runs in it.
#[allow(clippy::disallowed_methods, reason = "an emulator runs in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
