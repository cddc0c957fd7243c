//! What happens at Ctrl-C? The process ends at once with the code of the subcommand; nothing here needs tidying up:
//! caches are replaced atomically, and a platform's sockets close with it.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Exit, Stop};

/// Whether a half-written status line is on the terminal.
static STATUS_LINE: AtomicBool = AtomicBool::new(false);

/// Tells whether a status line would have to be wiped.
pub(crate) fn status_line(shown: bool) {
    STATUS_LINE.store(shown, Ordering::Relaxed);
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
