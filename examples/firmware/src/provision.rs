//! Whose credential does this device keep, where is it asked for, and who hears of an alarm?

use wxtoken_embedded::core::{Account, BadAccount, BadBase, Base, Endpoint, Policy};

use crate::gateway::End;

/// 测试号, of which the platform allows only 200 fetches a day: half of them, and a reserve.
static TEST_ACCOUNT: Endpoint = Endpoint::STABLE_TOKEN.with_policy(Policy::STABLE.with_daily_limit(100, 20));

/// The account and who is told of an alarm, as written to the device when it was made: a 公众号 with a follower, or an app of
/// 企业微信 with its members.
///
/// **EXAMPLE ONLY** are these values: they are known to everybody. A real board reads them from a flash page that its
/// debug port cannot read, and holds a device key for a central server instead of the account's secret wherever there is
/// such a server: what one device gives away then opens that one device.
const ID: &str = "wx0123456789abcdef";
const WORK_ID: &str = "ww0123456789abcdef";
const SECRET: &str = "an-example-device-key-0001";
/// The template has the fields `thing1` (what), `character_string2` (number of the alarm) and `thing3` (when).
const FOLLOWER: To<'_> =
    To::Follower { openid: "oGatewayExample_0000000000001", template_id: "GatewayExampleTemplate_0000000000000000001" };
const MEMBERS: To<'_> = To::Members { users: "@all", agent: 1_000_002 };

/// Who is told of an alarm, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To<'a> {
    /// A follower of a 公众号, by a template message.
    Follower {
        /// Who, for this account.
        openid: &'a str,
        /// The template, as the account's console names it.
        template_id: &'a str,
    },
    /// Members of a corporation, by a message of its app.
    Members {
        /// Who: `@all`, or ids with `|` between them.
        users: &'a str,
        /// The app.
        agent: u32,
    },
}

/// Which kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 公众号.
    Official,
    /// 测试号, whose day has fewer fetches.
    Test,
    /// An app of 企业微信.
    Work,
}

/// What differs from run to run. On this board it stands in the emulator's command line; a real one keeps it in flash.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// `base=http://10.0.2.2:8440`: where the credential is asked for.
    pub base: Base<'a>,
    /// `api=http://10.0.2.2:8441`: where APIs are called. Without it at `base`, which a central server is not: it hands out
    /// tokens and takes no calls.
    pub api: Option<Base<'a>>,
    /// `device=17`: the serial number, of 12 digits at most, which keeps devices that boot together apart.
    pub device: u64,
    /// `spread=60`: the seconds over which devices that boot together spread their first fetches, 60 unless said. A
    /// gateway that remembers no token costs one fetch when the power comes back to its district.
    pub spread_s: u32,
    /// **EMULATOR ONLY.** `attempts=3 tokens=2 sends=5`: the run ends with so many tokens, one unless said, and every alarm
    /// settled; or after so many attempts to fetch or calls. Without `attempts` it never ends.
    pub end: Option<End>,
    /// **EMULATOR ONLY.** `hurry=60`: time passes so many times as fast.
    pub hurry: u32,
    /// `account=test`, `account=work`: which kind of account it is, a 公众号 unless said.
    pub kind: Kind,
    /// **EMULATOR ONLY.** `flash=flash.bin`: the file of the host that is the flash, see [`flash`](crate::board::flash).
    /// Without it nothing is remembered.
    pub flash: Option<&'a str>,
    /// **EMULATOR ONLY.** `date=1767225600`: the time of day at the boot, in seconds since the Unix epoch, instead of the
    /// host's; 0 for a device that does not know it.
    pub date: Option<u64>,
    /// **EMULATOR ONLY.** `uptime=4294867`: as if it had been running for so many seconds already, 100 s less than the
    /// 49.7 days in which a 32-bit tick wraps.
    pub uptime_s: u32,
    /// **EMULATOR ONLY.** `ca=ca.pem`: the file of the host with the authorities to trust, instead of those that are built
    /// in; of use only to images that speak TLS.
    pub authorities: Option<&'a str>,
    /// **EMULATOR ONLY.** `connections=50`: so many connections are opened and closed before the job begins, and for each
    /// it is said what is left of it.
    pub connections: u32,
    /// All of them.
    line: &'a str,
}

/// The name of the setting that may be repeated.
const TRIP: &str = "trip";

/// What is wrong with the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
#[non_exhaustive]
pub enum BadSettings {
    /// There is no `base=`.
    NoBase,
    /// The base URL is not one.
    Base(BadBase),
    /// What should be a number is none.
    Number,
    /// A word that is not known.
    Unknown,
}

impl<'a> Settings<'a> {
    /// Reads `NAME=VALUE` words; the first word is the name of the program.
    ///
    /// # Errors
    /// [`BadSettings`].
    pub fn parse(line: &'a str) -> Result<Self, BadSettings> {
        let (mut base, mut api, mut device, mut attempts, mut hurry) = (None, None, 0, None, 1);
        let (mut tokens, mut sends, mut alarms) = (1, u32::MAX, 0);
        let (mut spread_s, mut uptime_s) = (60, 0);
        let (mut kind, mut flash, mut date) = (Kind::Official, None, None);
        let (mut authorities, mut connections) = (None, 0);
        for word in words(line) {
            match word.split_once('=') {
                Some(("base", url)) => base = Some(Base::parse(url).map_err(BadSettings::Base)?),
                Some(("api", url)) => api = Some(Base::parse(url).map_err(BadSettings::Base)?),
                Some(("device", text)) => device = number(text)?,
                Some(("spread", text)) => spread_s = number(text)?,
                Some(("attempts", text)) => attempts = Some(number(text)?),
                Some(("tokens", text)) => tokens = number(text)?,
                Some(("sends", text)) => sends = number(text)?,
                Some(("hurry", text)) => hurry = number(text)?,
                Some(("account", "test")) => kind = Kind::Test,
                Some(("account", "work")) => kind = Kind::Work,
                Some(("flash", name)) => flash = Some(name),
                Some(("date", text)) => date = Some(number(text)?),
                Some(("uptime", text)) => uptime_s = number(text)?,
                Some((TRIP, text)) => {
                    number::<u32>(text)?;
                    alarms += 1;
                }
                Some(("ca", name)) => authorities = Some(name),
                Some(("connections", text)) => connections = number(text)?,
                _ => return Err(BadSettings::Unknown),
            }
        }
        let end = attempts.map(|attempts| End { tokens, attempts, sends, alarms });
        Ok(Self {
            base: base.ok_or(BadSettings::NoBase)?,
            api,
            device,
            spread_s,
            end,
            hurry,
            kind,
            flash,
            date,
            uptime_s,
            authorities,
            connections,
            line,
        })
    }

    /// **EMULATOR ONLY.** `trip=5 trip=9`: the seconds after the boot at which the sensor trips.
    pub fn trips(&self) -> impl Iterator<Item = u32> {
        words(self.line).filter_map(|word| word.strip_prefix(TRIP)?.strip_prefix('=')?.parse().ok())
    }

    /// Who is told of an alarm.
    #[must_use]
    pub const fn to(&self) -> To<'a> {
        match self.kind {
            Kind::Official | Kind::Test => FOLLOWER,
            Kind::Work => MEMBERS,
        }
    }

    /// The account, to be asked for at the base of these settings.
    ///
    /// # Errors
    /// [`BadAccount`], when what was written to the device is damaged.
    pub fn account(&self) -> Result<Account<'a>, BadAccount> {
        let (endpoint, id) = match self.kind {
            Kind::Official => (&Endpoint::STABLE_TOKEN, ID),
            Kind::Test => (&TEST_ACCOUNT, ID),
            Kind::Work => (&Endpoint::WORK, WORK_ID),
        };
        Ok(Account::new(endpoint, id, SECRET)?.with_base(self.base))
    }
}

/// The settings on a command line, whose first word is the name of the program.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_ascii_whitespace().skip(1)
}

fn number<N: core::str::FromStr>(text: &str) -> Result<N, BadSettings> {
    text.parse().map_err(|_| BadSettings::Number)
}
