//! What does a gateway still know after a power failure? Its token, and how much of the day's budget is used.

use wxtoken_embedded::{
    core::{Account, Instant, Keeper},
    flash::{self, Blocking},
};

use crate::{
    board::{flash::Flash, wall},
    provision::Settings,
};

/// What the images give their clients, blocking or not: this flash never makes anybody wait.
pub type Memory = flash::Memory<Blocking<Flash>, fn() -> Option<u64>>;

/// The memory that the settings name, if they name one. A gateway without its flash goes on without it.
pub fn open(settings: &Settings<'_>, account: &Account<'_>) -> Option<Memory> {
    let flash = Flash::open(settings.flash?);
    if flash.is_none() {
        defmt::warn!(
            "board: the flash does not answer; after a reboot the token is lost, and today's fetches forgotten"
        );
    }
    let wall: fn() -> Option<u64> = wall::unix_time;
    Memory::new(Blocking::new(flash?), 0..Flash::CAPACITY, account, wall).ok()
}

/// Says what was remembered, and how long nothing is to be done. `first_at`: when the first fetch is due.
pub fn say_start(keeper: &Keeper, now: Instant, first_at: Instant) {
    let (fetches, limit) = (keeper.ledger(now).fetches, keeper.policy().daily_limit());
    let wait = first_at.saturating_since(now).as_secs();
    if fetches > 0 {
        defmt::info!("gateway: remembers {=u16} of today's {=u16} fetches", fetches, limit);
    }
    match keeper.token(now) {
        Some(_) => {
            let good = keeper.remaining(now).as_secs();
            defmt::info!("gateway: remembers a token that is good for {=u64} s; fetches in {=u64} s", good, wait);
        }
        None if fetches >= limit => defmt::warn!("gateway: today's fetches are used up; fetches in {=u64} s", wait),
        None if wait > 0 => defmt::info!("gateway: lets others go first, fetches in {=u64} s", wait),
        None => {}
    }
}
