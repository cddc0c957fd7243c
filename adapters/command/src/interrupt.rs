//! What happens at Ctrl-C? The process ends at once with the code of the subcommand; little here needs tidying up: caches
//! are replaced atomically, a platform's sockets close with it, and a half file is removed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::exit::{Exit, Stop};

/// Whether a half-written status line is on the terminal.
static STATUS_LINE: AtomicBool = AtomicBool::new(false);

/// Tells whether a status line would have to be wiped.
pub(crate) fn status_line(shown: bool) {
    STATUS_LINE.store(shown, Ordering::Relaxed);
}

/// The temporary file that a download writes.
static HALF_FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Names the half file that would have to be removed, or says that there is none any more.
pub(crate) fn half_file(path: Option<&Path>) {
    *HALF_FILE.lock().unwrap_or_else(PoisonError::into_inner) = path.map(Path::to_owned);
}

/// From now on SIGINT and SIGTERM end the process with this code. SIGHUP is left alone, so that `nohup` works.
#[cfg(unix)]
pub(crate) fn install(code: Exit) -> Result<(), Stop> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let failed = |error: io::Error| Stop::With(Exit::Failed, format!("signals cannot be handled: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let wait = move || {
        if signals.forever().next().is_some() {
            if STATUS_LINE.load(Ordering::Relaxed) {
                // Standard error: the main thread holds the lock of standard output. Both are the same terminal.
                let _ = writeln!(io::stderr());
            }
            if let Some(half) = HALF_FILE.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // Should it be gone already, all the better.
                let _ = std::fs::remove_file(half);
            }
            std::process::exit(code as i32);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}

/// Elsewhere the system's own habit holds: Ctrl-C ends the process.
#[cfg(not(unix))]
pub(crate) fn install(_code: Exit) -> Result<(), Stop> {
    Ok(())
}
