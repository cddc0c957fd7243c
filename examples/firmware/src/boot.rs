//! What does every image do before its job begins? It reads its settings, says who it is, and looks for its parts.
//!
//! Whatever fails has been logged when it is returned, as the exit code of the run.

use static_cell::ConstStaticCell;
use wxtoken_embedded::core::Account;

#[cfg(feature = "tls")]
use crate::board::heap;
use crate::{
    board::{
        fatal,
        lan9118::{Frames, Lan9118},
        semihosting, stack, time, wall,
    },
    gateway::Verdict,
    provision::Settings,
};

/// The command line or the account is not usable.
pub const BAD_SETTINGS: u32 = 2;
/// The board lacks something: a working Ethernet chip, chance.
pub const BAD_BOARD: u32 = 3;

/// The settings, and the account to keep. From here on time passes as fast as they say.
///
/// # Errors
/// [`BAD_SETTINGS`].
pub fn settings() -> Result<(Settings<'static>, Account<'static>), u32> {
    static COMMAND_LINE: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    let line = COMMAND_LINE.try_take().and_then(|room| semihosting::command_line(room)).unwrap_or("");
    let settings = Settings::parse(line).map_err(|why| {
        defmt::error!("settings: {}", why);
        BAD_SETTINGS
    })?;
    let account = settings.account().map_err(|why| {
        defmt::error!("account: {}", why);
        BAD_SETTINGS
    })?;
    let (host, port) = (settings.base.host_str(), settings.base.port());
    defmt::info!(
        "gateway {=u64} asks {=str}:{=u16} for the token of {=str}",
        settings.device,
        host,
        port,
        account.id()
    );
    if let Some(api) = settings.api {
        defmt::info!("gateway: sends its alarms to {=str}:{=u16}", api.host_str(), api.port());
    }
    time::age(settings.uptime_s);
    wall::set(settings.date);
    time::hurry(settings.hurry);
    Ok((settings, account))
}

/// Chance, for sequence numbers and ports. Drawn anew at each call: what is drawn for them must not be seen in a message.
///
/// # Errors
/// [`BAD_BOARD`].
pub fn seed() -> Result<u64, u32> {
    let mut seed = [0; 8];
    if !semihosting::random(&mut seed) {
        defmt::error!("board: no randomness; without it sequence numbers could be guessed");
        return Err(BAD_BOARD);
    }
    Ok(u64::from_le_bytes(seed))
}

/// A number that no other boot has, for the numbers of alarms.
///
/// # Errors
/// [`BAD_BOARD`].
pub fn number() -> Result<u32, u32> {
    // Half of it is enough, and is no secret.
    seed().map(|seed| seed as u32)
}

/// The Ethernet chip, switched on.
///
/// # Errors
/// [`BAD_BOARD`].
pub fn ethernet() -> Result<Lan9118, u32> {
    static FRAMES: ConstStaticCell<Frames> = ConstStaticCell::new(Frames::new());
    Lan9118::start(FRAMES.take()).map_err(|why| {
        defmt::error!("board: the Ethernet chip does not work: {}", why);
        BAD_BOARD
    })
}

/// Says how the job ended and what it cost, and ends the run. On a device in the field it ends never.
pub fn end(verdict: Verdict) -> ! {
    defmt::info!("gateway: done, {}; at most {=usize} bytes of stack were used", verdict, stack::high_water());
    #[cfg(feature = "tls")]
    defmt::info!(
        "gateway: {=usize} bytes of heap are in use, at most {=usize} of {=usize} were",
        heap::in_use(),
        heap::high_water(),
        heap::CAPACITY
    );
    if stack::has_overflowed() {
        defmt::error!("gateway: the stack has overflowed; give it more room in the memory map");
        semihosting::exit(fatal::OVERFLOWED);
    }
    semihosting::exit(verdict.exit_code())
}
