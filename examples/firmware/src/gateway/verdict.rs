//! How did a fetch or a call end, and who can do something about it?

use wxtoken_embedded::{
    Attempt, ConnectError, Fault,
    core::{Act, Meaning, Outcome, Refusal},
};

/// How a fetch or a call ended, by who can do something about it. The numbers are the emulator's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
#[repr(u8)]
#[non_exhaustive]
pub enum Verdict {
    /// A token is held, and the last alarm has arrived if there was one.
    Fresh = 0,
    /// The id, the secret or a parameter is wrong, says the platform; or this image cannot speak what the base URL wants.
    Configuration = 10,
    /// The platform refused: an administrator must allow the address.
    Address = 11,
    /// The platform refused: an administrator must do something else.
    Person = 12,
    /// The platform refused, and it passes by itself.
    Busy = 13,
    /// There was no connection.
    NoConnection = 20,
    /// The connection ended before the reply was complete.
    Cut = 21,
    /// No complete reply in time.
    TimedOut = 22,
    /// A reply, and not one of the platform: a redirection, a page of a proxy, a length that makes no sense.
    Foreign = 23,
    /// A reply in the platform's form that makes no sense.
    Malformed = 24,
    /// The server's certificate is not one that this device trusts. It was told nothing.
    Certificate = 25,
    /// TLS could not be agreed upon, or was cut short. The server was told nothing.
    NoTls = 26,
    /// A mistake in this firmware: the request does not fit, a result came too late.
    Own = 30,
}

impl Verdict {
    /// What to make of an attempt to fetch.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Self {
        match (&attempt.outcome, attempt.fault) {
            (Outcome::Granted { .. } | Outcome::Repeated, _) => Self::Fresh,
            (Outcome::Refused(refusal), _) => Self::of_refusal(refusal),
            (Outcome::Malformed(_), _) => Self::Malformed,
            (Outcome::Status(_), _) => Self::Foreign,
            (_, Some(fault)) => Self::of_fault(fault),
            (_, None) => Self::Own,
        }
    }

    /// What to make of the platform's no, to a fetch or to a call.
    pub(super) fn of_refusal(refusal: &Refusal) -> Self {
        match (refusal.meaning(), refusal.act()) {
            (Meaning::AddressNotAllowed, _) => Self::Address,
            (_, Act::Configuration | Act::Never) => Self::Configuration,
            (_, Act::Person) => Self::Person,
            _ => Self::Busy,
        }
    }

    /// What to make of an exchange without a reply.
    pub(super) const fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::Connect(ConnectError::NoTls) => Self::Configuration,
            Fault::Connect(ConnectError::Certificate) => Self::Certificate,
            Fault::Connect(ConnectError::Tls) => Self::NoTls,
            Fault::Connect(_) => Self::NoConnection,
            Fault::Broken | Fault::Cut => Self::Cut,
            Fault::TimedOut => Self::TimedOut,
            Fault::RequestTooLong | Fault::Unfinished => Self::Own,
            _ => Self::Foreign,
        }
    }

    /// The emulator's exit code.
    #[must_use]
    pub const fn exit_code(self) -> u32 {
        self as u32
    }

    /// Says who must act, where somebody must. The client has said what happened, and which address to allow.
    pub(super) fn advise(self) {
        match self {
            Self::Configuration => {
                defmt::error!("gateway: the configuration is wrong, and no retry mends it");
            }
            Self::Address | Self::Person => defmt::error!("gateway: ask the account's administrator"),
            Self::NoConnection => defmt::warn!("gateway: check cable, router and the server's address"),
            Self::Certificate => {
                defmt::error!("gateway: not sent to whom it does not trust; check date, base URL and authorities");
            }
            Self::NoTls => defmt::warn!("gateway: no TLS with this server; is the server's address right?"),
            Self::Foreign | Self::Malformed => {
                defmt::warn!("gateway: this is not what the platform answers; is the server's address right?");
            }
            Self::Own => defmt::error!("gateway: a mistake in this firmware; report it with this log"),
            _ => {}
        }
    }
}
