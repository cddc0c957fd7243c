//! What is a case in which the image boots once and ends by itself? One with a value for everything that may differ.

use std::{io, thread, time::Duration};

use wxtoken_platform::{Account, Builder, Fault, FaultScope, Leaf, Platform, Running, ServerKey, TlsVersions};

use super::{Case, code};
use crate::{
    images::Of,
    log,
    trial::{HOST, ID, SECRET, Trial},
};

/// What base URL the image is told to use, and what it finds there.
#[derive(Clone, Copy)]
pub(super) enum Base {
    Http,
    Https(Door),
    /// `https`, at the port where HTTP is spoken.
    WrongPort,
    /// A name that nobody knows.
    Unknown,
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
pub(super) const WITHOUT_TOKEN: &str = "no token, so it waits";
pub(super) const NO_TOKEN: Alarms = Alarms::Cannot(WITHOUT_TOKEN);

/// What the platform's HTTPS door is like.
#[derive(Clone, Copy)]
pub(super) struct Door {
    pub(super) versions: TlsVersions,
    pub(super) key: ServerKey,
    pub(super) leaf: Leaf,
}

impl Door {
    /// One that nobody has to complain about.
    pub(super) const GOOD: Self = Self { versions: TlsVersions::Both, key: ServerKey::Ecdsa, leaf: Leaf::Good };

    /// The platform, with this door.
    pub(super) fn on(self, builder: Builder) -> Builder {
        let Self { versions, key, leaf } = self;
        builder.tls(true).tls_name(HOST).tls_versions(versions).tls_key(key).leaf(leaf)
    }
}

/// Whom the image trusts, if it speaks TLS.
#[derive(Clone, Copy)]
pub(super) enum Trusted {
    /// The platform's authority.
    Platform,
    /// Those that are built in: WeChat's.
    BuiltIn,
    /// What a file says that is not there.
    Missing,
}

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
    pub(super) trusted: Trusted,
    /// The time of day that the image is told, in Unix seconds, instead of the host's; 0 for none.
    pub(super) date: Option<u64>,
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
    /// Seconds of the image's time that each alarm waits at least.
    pub(super) waits_s: u64,
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
            trusted: Trusted::Platform,
            date: None,
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
            waits_s: 0,
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
            Base::Https(door) => door.on(builder),
            Base::Http | Base::WrongPort | Base::Unknown | Base::Missing => builder,
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
        words.extend(self.date.map(|date| format!("date={date}")));
        let http = platform.http_addr().port();
        match (self.base, platform.https_addr()) {
            (Base::Missing, _) => {}
            (Base::Unknown, _) => words.push(format!("base=http://nowhere.invalid:{http}")),
            (Base::WrongPort, _) => words.push(format!("base=https://{HOST}:{http}")),
            (_, Some(address)) => words.push(format!("base=https://{HOST}:{}", address.port())),
            _ => words.push(format!("base=http://{HOST}:{http}")),
        }
        match self.trusted {
            Trusted::Platform => words.extend(trial.trust(&platform)?),
            Trusted::BuiltIn => {}
            Trusted::Missing => words.push("ca=missing.pem".to_owned()),
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
        let waited = |line: &String| log::number_between(line, "has arrived, ", " s after");
        let hasty = lines.iter().filter_map(waited).find(|seconds| *seconds < self.waits_s);
        trial.expect(hasty.is_none(), || format!("it waited {hasty:?} s instead of {}", self.waits_s));
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
