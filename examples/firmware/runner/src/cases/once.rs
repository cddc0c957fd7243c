//! What is a case in which the image boots once and ends by itself? One with a value for everything that may differ.

use std::{io, thread, time::Duration};

use wxtoken_platform::{Account, Fault, FaultScope, Leaf, Platform, Running, TlsVersions};

use super::{Case, code};
use crate::{
    images::Of,
    trial::{ID, SECRET, Trial},
};

/// The name under which an image finds the authority that it is to trust.
const AUTHORITY: &str = "ca.pem";

/// What base URL the image is told to use, and what it finds there.
#[derive(Clone, Copy)]
pub(super) enum Base {
    Http,
    Https(TlsVersions, Leaf),
    /// None at all.
    Missing,
}

/// What should become of the alarms.
#[derive(Clone, Copy)]
pub(super) enum Alarms {
    /// So many arrive.
    Arrive(usize),
    /// None can, for this reason.
    Cannot(&'static str),
}

/// Why none arrives where no token is had.
pub(super) const NO_TOKEN: Alarms = Alarms::Cannot("no token, so it waits");

/// Something to do to the platform, so long after the boot.
pub(super) type Meanwhile = (Duration, fn(&Running));

/// One case.
pub(super) struct Once {
    pub(super) name: String,
    pub(super) of: Of,
    /// The secret on the platform's side.
    pub(super) secret: &'static str,
    pub(super) account: fn(Account) -> Account,
    /// Whether the account is one of 企业微信.
    pub(super) work: bool,
    pub(super) faults: Vec<(Fault, FaultScope)>,
    pub(super) prepare: Box<dyn Fn(&Running) + Send + Sync>,
    pub(super) base: Base,
    pub(super) attempts: u32,
    pub(super) tokens: u32,
    /// Seconds after the boot at which the sensor trips.
    pub(super) trips: &'static [u32],
    /// Calls after which the image ends, whatever became of the alarms.
    pub(super) sends: Option<u32>,
    /// Seconds over which devices spread their first fetches.
    pub(super) spread_s: u32,
    /// How fast time passes, for the image and for the platform.
    pub(super) hurry: u32,
    /// Something that happens while the image runs.
    pub(super) meanwhile: Option<Meanwhile>,
    /// The image's exit code.
    pub(super) code: i32,
    /// What its log must say.
    pub(super) says: &'static [&'static str],
    /// How many fetches the platform must have executed.
    pub(super) fetched: u64,
    /// What becomes of the alarms.
    pub(super) alarms: Alarms,
    /// How many connections there may be besides one for each attempt to fetch and each alarm that arrives.
    pub(super) retries: u64,
    /// How many calls the platform refuses.
    pub(super) refused: u64,
}

impl Once {
    /// A case in which all is well, to be changed.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            of: Of::All,
            secret: SECRET,
            account: |account| account,
            work: false,
            faults: Vec::new(),
            prepare: Box::new(|_| {}),
            base: Base::Http,
            attempts: 1,
            tokens: 1,
            trips: &[0],
            sends: None,
            spread_s: 0,
            hurry: 1,
            meanwhile: None,
            code: code::FRESH,
            says: &["is good for"],
            fetched: 1,
            alarms: Alarms::Arrive(1),
            retries: 0,
            refused: 0,
        }
    }

    /// The same, in which every call meets a fault.
    pub(super) fn with_fault(self, fault: Fault) -> Self {
        Self { faults: vec![(fault, FaultScope::every_call())], ..self }
    }

    fn play(&self, trial: &mut Trial<'_>) -> io::Result<()> {
        let account = match self.work {
            true => Trial::work_account(self.secret),
            false => Account::official(ID, self.secret),
        };
        let account = (self.account)(account);
        let builder = Platform::builder().account(account).speed(f64::from(self.hurry));
        let builder = match self.base {
            Base::Https(versions, leaf) => builder.tls(true).tls_versions(versions).leaf(leaf),
            Base::Http | Base::Missing => builder,
        };
        let platform = trial.platform(builder)?;
        self.faults.iter().for_each(|(fault, scope)| platform.fault(fault.clone(), scope.clone()));
        (self.prepare)(&platform);
        let mut words = vec![
            "device=17".to_owned(),
            format!("attempts={}", self.attempts),
            format!("tokens={}", self.tokens),
            format!("hurry={}", self.hurry),
            format!("spread={}", self.spread_s),
        ];
        words.extend(self.trips.iter().map(|second| format!("trip={second}")));
        words.extend(self.sends.map(|calls| format!("sends={calls}")));
        words.extend(self.work.then(|| "account=work".to_owned()));
        match (self.base, platform.https_addr(), platform.ca_pem()) {
            (Base::Missing, ..) => {}
            (_, Some(address), Some(authority)) => {
                words.push(format!("base=https://10.0.2.2:{}", address.port()));
                // One without TLS has no use for it.
                if trial.image.speaks_tls {
                    std::fs::write(trial.file(AUTHORITY), authority)?;
                    words.push(format!("ca={AUTHORITY}"));
                }
            }
            _ => words.push(format!("base=http://10.0.2.2:{}", platform.http_addr().port())),
        }
        let lines = thread::scope(|scope| {
            if let Some((after, what)) = self.meanwhile {
                let platform = &platform;
                scope.spawn(move || {
                    thread::sleep(after);
                    what(platform);
                });
            }
            let board = trial.boot(&words)?;
            trial.wait(board)
        })?;
        trial.expect_code(self.code);
        self.says.iter().for_each(|words| trial.expect_said(&lines, words));
        trial.expect_fetched(&platform, self.fetched);
        trial.expect_refused(&platform, self.refused..=self.refused);
        let arrive = match self.alarms {
            Alarms::Arrive(count) => {
                trial.expect_alarms(count);
                count as u64
            }
            Alarms::Cannot(why) => {
                trial.expect_no_alarm(why);
                0
            }
        };
        // One connection for each attempt and each call: nothing is followed, nothing tried twice. An outage has none to
        // count.
        let connections = platform.counters().connections;
        let most = u64::from(self.attempts) + arrive + self.retries;
        trial.expect(self.meanwhile.is_some() || connections <= most, || {
            format!("{connections} connections where {most} are enough")
        });
        Ok(())
    }
}

impl From<Once> for Case {
    fn from(once: Once) -> Self {
        let faults = once.faults.iter().map(|(fault, _)| fault.clone()).collect();
        Self { name: once.name.clone(), of: once.of, faults, play: Box::new(move |trial| once.play(trial)) }
    }
}
