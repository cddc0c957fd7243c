//! What is logged, and where? Events of this workspace only, to standard error.
//!
//! Events of `tracing`, never records of `log`: ureq writes whole URLs there, secret included, so no bridge between
//! the two is installed, and other crates' targets are not let through.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// Starts logging: errors only, since a command says itself what went wrong; with each `-v` more.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // A target also covers those that begin with it: wxtoken_core, wxtoken_platform.
    let ours = Targets::new().with_target("wxtoken", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false).with_filter(ours);
    // The first subscriber of a process is always taken.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}
