//! Which certificate is shown right now? The one of the files, taken up anew when they change; while what is there cannot
//! be used, the one before.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use rustls::ServerConfig;

use crate::{Clock, config::TlsSpec, doors::Doors, events};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What `/healthz` says of it. The rest is in the log: whoever asks there has no key.
mod word {
    pub(super) const OK: &str = "ok";
    /// What is in the files now cannot be used.
    pub(super) const KEPT: &str = "new-certificate-unusable";
    pub(super) const EXPIRED: &str = "expired";
}

pub(super) struct Certificates {
    current: ArcSwap<ServerConfig>,
    files: Mutex<Files>,
}

struct Files {
    spec: TlsSpec,
    /// As they were when they were last read, whatever came of it.
    seen: Vec<Option<(SystemTime, u64)>>,
    until: SystemTime,
    word: &'static str,
}

impl Certificates {
    /// # Errors
    /// What is wrong with the files.
    pub(super) fn new(spec: &TlsSpec) -> Result<Self, String> {
        let seen = seen(spec);
        let loaded = spec.load()?;
        let files = Files { spec: spec.clone(), seen, until: loaded.until, word: word::OK };
        Ok(Self { current: ArcSwap::new(loaded.config), files: Mutex::new(files) })
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reads the files, which may be others than before. What is broken, or over while the one before is not, is not
    /// taken up.
    pub(super) fn reload(&self, spec: Option<&TlsSpec>, now: SystemTime) -> &'static str {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = spec.unwrap_or(&files.spec).clone();
        files.seen = seen(&spec);
        let loaded = spec.load().and_then(|loaded| {
            let worse = loaded.until <= now && files.until > now;
            if worse { Err(format!("the certificate {} is expired", spec.cert.display())) } else { Ok(loaded) }
        });
        files.spec = spec;
        match loaded {
            Ok(loaded) => {
                self.current.store(loaded.config);
                files.until = loaded.until;
                files.word = word::OK;
                events::certificate(loaded.until);
            }
            Err(why) => {
                files.word = word::KEPT;
                events::certificate_kept(&why);
            }
        }
        files.judge(now)
    }

    /// Reads the files if they are not as they were.
    pub(super) fn look(&self, now: SystemTime) -> &'static str {
        {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            if files.seen == seen(&files.spec) {
                return files.judge(now);
            }
        }
        self.reload(None, now)
    }

    /// Looks at the files for as long as it is polled.
    pub(super) async fn watch(&self, doors: &Doors, clock: &dyn Clock) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            doors.set_tls(self.look(now(clock)));
        }
    }
}

/// What time it is; long ago where nobody knows, and then nothing is expired.
pub(super) fn now(clock: &dyn Clock) -> SystemTime {
    UNIX_EPOCH.checked_add(clock.unix_time().unwrap_or_default()).unwrap_or(UNIX_EPOCH)
}

impl Files {
    fn judge(&mut self, now: SystemTime) -> &'static str {
        if self.until <= now {
            if self.word != word::EXPIRED {
                events::certificate_expired(self.until);
            }
            self.word = word::EXPIRED;
        } else if self.word == word::EXPIRED {
            // The clock was wrong.
            self.word = word::OK;
        }
        self.word
    }
}

fn seen(spec: &TlsSpec) -> Vec<Option<(SystemTime, u64)>> {
    let files: [Option<&PathBuf>; 3] = [Some(&spec.cert), Some(&spec.key), spec.client_ca.as_ref()];
    files
        .into_iter()
        .flatten()
        .map(|path| {
            let data = fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
