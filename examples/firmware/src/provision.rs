//! Whose credential does this device keep, and where is it asked for?

use wxtoken_embedded::core::{Account, BadAccount, BadBase, Base, Endpoint, Policy};

use crate::gateway::End;

/// 测试号, of which the platform allows only 200 fetches a day: half of them, and a reserve.
static TEST_ACCOUNT: Endpoint = Endpoint::STABLE_TOKEN.with_policy(Policy::STABLE.with_daily_limit(100, 20));

/// The account, as it was written to the device when it was made.
///
/// **EXAMPLE ONLY** are these values: they are known to everybody. A real board reads them from a flash page that its
/// debug port cannot read, and holds a device key for a central server instead of the account's secret wherever there is
/// such a server: what one device gives away then opens that one device.
const ID: &str = "wx0123456789abcdef";
const SECRET: &str = "an-example-device-key-0001";

/// What differs from run to run. On this board it stands in the emulator's command line; a real one keeps it in flash.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// `base=http://10.0.2.2:8440`: where the credential is asked for.
    pub base: Base<'a>,
    /// `device=17`: the serial number, which keeps devices that boot together apart.
    pub device: u64,
    /// `spread=60`: the seconds over which devices that boot together spread their first fetches, 60 unless said. A
    /// gateway that remembers no token costs one fetch when the power comes back to its district.
    pub spread_s: u32,
    /// **EMULATOR ONLY.** `attempts=3 tokens=2`: the run ends after so many attempts or with so many tokens, one unless
    /// said. Without `attempts` it never ends.
    pub end: Option<End>,
    /// **EMULATOR ONLY.** `hurry=60`: time passes so many times as fast.
    pub hurry: u32,
    /// `account=test`: the account is a 测试号, whose day has fewer fetches.
    pub test_account: bool,
    /// **EMULATOR ONLY.** `flash=flash.bin`: the file of the host that is the flash, see [`flash`](crate::board::flash).
    /// Without it nothing is remembered.
    pub flash: Option<&'a str>,
    /// **EMULATOR ONLY.** `date=1767225600`: the time of day at the boot, in seconds since the Unix epoch, instead of the
    /// host's; 0 for a device that does not know it.
    pub date: Option<u64>,
    /// **EMULATOR ONLY.** `uptime=4294867`: as if it had been running for so many seconds already, 100 s less than the
    /// 49.7 days in which a 32-bit tick wraps.
    pub uptime_s: u32,
}

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
        let (mut base, mut device, mut attempts, mut tokens, mut hurry) = (None, 0, None, 1, 1);
        let (mut spread_s, mut uptime_s) = (60, 0);
        let (mut test_account, mut flash, mut date) = (false, None, None);
        for word in line.split_ascii_whitespace().skip(1) {
            match word.split_once('=') {
                Some(("base", url)) => base = Some(Base::parse(url).map_err(BadSettings::Base)?),
                Some(("device", number)) => device = number.parse().map_err(|_| BadSettings::Number)?,
                Some(("spread", number)) => spread_s = number.parse().map_err(|_| BadSettings::Number)?,
                Some(("attempts", number)) => attempts = Some(number.parse().map_err(|_| BadSettings::Number)?),
                Some(("tokens", number)) => tokens = number.parse().map_err(|_| BadSettings::Number)?,
                Some(("hurry", number)) => hurry = number.parse().map_err(|_| BadSettings::Number)?,
                Some(("account", "test")) => test_account = true,
                Some(("flash", name)) => flash = Some(name),
                Some(("date", number)) => date = Some(number.parse().map_err(|_| BadSettings::Number)?),
                Some(("uptime", number)) => uptime_s = number.parse().map_err(|_| BadSettings::Number)?,
                _ => return Err(BadSettings::Unknown),
            }
        }
        let end = attempts.map(|attempts| End { tokens, attempts });
        Ok(Self {
            base: base.ok_or(BadSettings::NoBase)?,
            device,
            spread_s,
            end,
            hurry,
            test_account,
            flash,
            date,
            uptime_s,
        })
    }

    /// The account, to be asked for at the base of these settings.
    ///
    /// # Errors
    /// [`BadAccount`], when what was written to the device is damaged.
    pub fn account(&self) -> Result<Account<'a>, BadAccount> {
        let endpoint = if self.test_account { &TEST_ACCOUNT } else { &Endpoint::STABLE_TOKEN };
        Ok(Account::new(endpoint, ID, SECRET)?.with_base(self.base))
    }
}
