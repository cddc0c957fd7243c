//! How is the image booted, and for how long may it run?

use std::{
    io::{self, Read},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// No case takes half as long.
const LIMIT: Duration = Duration::from_secs(40);

/// How a run ended.
pub(crate) struct Ended {
    /// The image's exit code; `None` when it had to be stopped.
    pub(crate) code: Option<i32>,
    /// Its log, as it came.
    pub(crate) log: Vec<u8>,
    pub(crate) took: Duration,
}

/// Boots `image` with `words` as its command line. The board reaches this machine's loopback as 10.0.2.2.
pub(crate) fn boot(image: &str, words: &[String]) -> io::Result<Ended> {
    let mut semihosting = "enable=on,target=native,arg=gateway".to_owned();
    for word in words {
        semihosting += ",arg=";
        semihosting += word;
    }
    let began = now();
    let mut board = Command::new("qemu-system-arm")
        .args(["-M", "mps2-an385", "-display", "none", "-monitor", "none", "-serial", "null"])
        .args(["-nic", "user,model=lan9118", "-semihosting-config", &semihosting, "-kernel", image])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut output = board.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let reader = thread::spawn(move || {
        let mut log = Vec::new();
        output.read_to_end(&mut log).map(|_| log)
    });
    let code = loop {
        if let Some(status) = board.try_wait()? {
            break status.code();
        }
        if now().saturating_duration_since(began) > LIMIT {
            board.kill()?;
            board.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let took = now().saturating_duration_since(began);
    let log = reader.join().map_err(|_| io::ErrorKind::Other)??;
    Ok(Ended { code, log, took })
}

#[allow(clippy::disallowed_methods, reason = "an emulator runs in real time")]
fn now() -> Instant {
    Instant::now()
}
