//! What happens when many callers meet the same trouble at once, or when a ticket stands above a token? Each shown on a
//! platform of its own beside the day, so that the day stays the same.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use wxtoken::{Client, Endpoint};
use wxtoken_platform::{Account, Fault, FaultScope, Overlap, Platform, Running};

use super::Trouble;
use super::clock::{MIDNIGHT_MS, VirtualClock};
use super::stage::{SECRET, Stage};
use super::wire::{BASE, Wire};

pub(crate) const CALLERS: usize = 64;
const NAME: &str = "wx000000000000000e";
const PROBE: &str = "/cgi-bin/getcallbackip";
const HOUR_MS: u64 = 3_600_000;
const MINUTE: Duration = Duration::from_secs(60);
/// The minutes of a day.
const DAY_MIN: u64 = 24 * 60;
/// A token is revoked so often.
const REVOKED_EVERY_MIN: u64 = 5 * 60;

struct Side {
    platform: Arc<Running>,
    clock: VirtualClock,
    wire: Wire,
    client: Client,
}

impl Side {
    fn new(seed: u64, account: Account, endpoint: &'static Endpoint) -> Result<Self, Trouble> {
        let machine = |error: &dyn std::fmt::Display| Trouble::Machine(format!("a platform beside the day: {error}"));
        let builder = Platform::builder().seed(seed).start_at_ms(MIDNIGHT_MS).speed(0.0).account(account);
        let platform = Arc::new(builder.start().map_err(|error| machine(&error))?);
        let clock = VirtualClock::new(Arc::clone(&platform));
        let wire = Wire::new(clock.clone(), platform.http_url());
        let client = Client::builder(endpoint, NAME, SECRET).base(BASE).clock(clock.clone()).transport(wire.clone());
        let client = client.background(false).seed(seed).build().map_err(|error| machine(&error))?;
        Ok(Self { platform, clock, wire, client })
    }

    fn fetches(&self) -> u64 {
        self.platform.counters().account(NAME).fetches.values().map(|calls| calls.accepted).sum()
    }

    fn refused(&self) -> u64 {
        self.platform.counters().account(NAME).calls_refused(40_001)
    }

    fn revoke(&self) -> Result<(), Trouble> {
        self.platform.revoke_all(NAME).map_err(|unknown| Trouble::Machine(unknown.to_string()))
    }

    fn rotate(&self) -> Result<(), Trouble> {
        self.platform.rotate_elsewhere(NAME).map_err(|unknown| Trouble::Machine(unknown.to_string()))
    }

    /// The same by 64 threads at once; while they do it, nobody who waits makes time pass.
    fn all_at_once<T: Send>(&self, each: impl Fn() -> T + Sync) -> Vec<T> {
        self.clock.stand_still_for_waiters(true);
        let all = all_at_once(each);
        self.clock.stand_still_for_waiters(false);
        all
    }
}

/// The same by 64 threads at the same moment.
pub(crate) fn all_at_once<T: Send>(each: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(CALLERS);
    let one = || {
        start.wait();
        each()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLERS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// 64 callers use a token that somebody else has replaced: they cost one fetch, however the platform lets it die.
pub(crate) fn an_old_token(stage: &mut Stage<'_>, seed: u64) -> Result<(), Trouble> {
    stage.chapter(
        "64 callers with an old token",
        "Beside the day: another program has fetched, and 64 callers use the old token in the same moment.",
    )?;
    for (overlap, dies) in [
        (Overlap::EachSuperseded, "five minutes after it was superseded"),
        (Overlap::DirectPredecessor, "when a second one follows"),
        (Overlap::None, "at once"),
    ] {
        let account = Account::official(NAME, SECRET).overlap(overlap);
        let side = Side::new(seed, account, &Endpoint::TOKEN)?;
        let held = side.client.token().is_ok();
        side.clock.pass(MINUTE);
        side.rotate()?;
        match overlap {
            Overlap::EachSuperseded => side.clock.pass(6 * MINUTE),
            Overlap::DirectPredecessor => side.rotate()?,
            _ => {}
        }
        let before = side.fetches();
        // None of them hears of it before all have sent.
        side.wire.hold(CALLERS, 1);
        let served = side.all_at_once(|| side.client.probe().is_ok()).into_iter().filter(|served| *served).count();
        let (fetches, refused) = (side.fetches() - before, side.refused());
        let text = format!("an old token that dies {dies}: {refused} refused, {fetches} fetch, {served} served");
        stage.event(&text)?;
        stage.promise(held && (refused, fetches, served) == (CALLERS as u64, 1, CALLERS), text);
    }
    Ok(())
}

/// A platform that refuses every token: fetching is not the cure, and nobody is left without the reason.
pub(crate) fn every_token_refused(stage: &mut Stage<'_>, seed: u64) -> Result<(), Trouble> {
    stage.chapter(
        "every token refused",
        "Beside the day: the platform refuses every token, live ones too, for an hour.",
    )?;
    let side = Side::new(seed, Account::official(NAME, SECRET), &Endpoint::TOKEN)?;
    let held = side.client.token().is_ok();
    side.clock.pass(MINUTE);
    side.platform
        .fault(Fault::TokenRefused { errcode: None }, FaultScope::every_call().on_path(PROBE).lasting_ms(HOUR_MS));
    side.wire.hold(CALLERS, 2);
    let errors: Vec<_> = side.all_at_once(|| side.client.probe().err()).into_iter().flatten().collect();
    let told = errors.iter().filter(|error| error.errcode() == Some(40_001)).count();
    let (fetches, refused) = (side.fetches(), side.refused());
    let text = format!(
        "every token refused: {refused} calls refused, {fetches} fetches in all, {told} callers told why (40001)"
    );
    if let Some(error) = errors.first() {
        stage.event(format_args!("callers are told: {error}"))?;
    }
    stage.event(&text)?;
    stage.promise(held && fetches <= 2 && told == CALLERS, text);
    Ok(())
}

/// A day of signing pages.
pub(crate) fn tickets(stage: &mut Stage<'_>, seed: u64) -> Result<(), Trouble> {
    stage.chapter(
        "tickets",
        "Beside the day, a day of its own: a page is signed each minute with a ticket, fetched with a token that is revoked \
         every five hours.",
    )?;
    let side = Side::new(seed, Account::official(NAME, SECRET), &Endpoint::STABLE_TOKEN)?;
    let tickets = side.client.ticket(&Endpoint::JSAPI_TICKET).build();
    let tickets = tickets.map_err(|error| Trouble::Machine(error.to_string()))?;
    let counted = |side: &Side| {
        let counters = side.platform.counters().account(NAME);
        let asked = counters.calls.get(Endpoint::JSAPI_TICKET.path()).map_or(0, |calls| calls.accepted);
        (side.fetches(), asked, counters.tickets_minted)
    };
    let served = side.all_at_once(|| tickets.ticket().is_ok()).into_iter().filter(|served| *served).count();
    let (tokens, asked, _) = counted(&side);
    let text = format!("tickets: {CALLERS} cold callers, {tokens} token, {asked} ticket, {served} served");
    stage.event(&text)?;
    stage.promise((tokens, asked, served) == (1, 1, CALLERS), text);

    let (mut signed, mut dead, mut revoked) = (0, 0, 0);
    for minute in 1..DAY_MIN {
        side.clock.pass(MINUTE);
        if minute.is_multiple_of(REVOKED_EVERY_MIN) {
            side.revoke()?;
            revoked += 1;
        }
        signed += u64::from(tickets.sign("https://shop.example.com/item?id=7#photos").is_ok());
        let alive = tickets.ticket().is_ok_and(|held| side.platform.ticket_is_valid(NAME, held.as_str()));
        dead += u64::from(!alive);
    }
    let (_, asked, minted) = counted(&side);
    let limit = u64::from(tickets.status().daily_limit);
    let healed = side.refused();
    let text = format!(
        "tickets: {signed} pages signed in a day, {dead} with a dead ticket; {asked} fetches of {limit} for {minted} tickets, \
         {healed} more with a token that was revoked ({revoked} times), healed"
    );
    stage.event(&text)?;
    let right = signed == DAY_MIN - 1 && dead == 0 && asked <= 2 * minted && healed >= 1 && healed <= revoked;
    stage.promise(right, text);
    Ok(())
}
