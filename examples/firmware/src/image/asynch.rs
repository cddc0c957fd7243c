//! What does an image on embassy do, from its boot to its end?

use core::time::Duration;

use embassy_executor::Spawner;
use embassy_time::WithTimeout as _;
use static_cell::ConstStaticCell;
use wxtoken_embedded::{
    Clock as _, ConnectError, DEFAULT_BUFFER_LEN, EmbassyClock,
    asynch::{Client, Connect},
    core::{Account, CONNECT_LIMIT_MS},
};

use crate::{
    board::{executor, semihosting, sensor::Sensor, time::alarm, wall},
    boot,
    gateway::{Job, asynch::work},
    memory,
    net::asynch::{self as net, Buffers, Tcp},
    provision::Settings,
};

static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
static EXCHANGE: ConstStaticCell<[u8; DEFAULT_BUFFER_LEN]> = ConstStaticCell::new([0; DEFAULT_BUFFER_LEN]);

/// What the job begins with.
pub struct Start {
    settings: Settings<'static>,
    account: Account<'static>,
    /// No other boot has this number.
    boot: u32,
}

/// Runs the image. `spawn` makes of the network what connections are opened with, and spawns the task that calls
/// [`keep`]; a task cannot be generic, so it is the image's. The image hands its interrupts over, too, with
/// [`serve`](crate::serve!).
pub fn run(spawn: fn(Spawner, Start, Tcp) -> Result<(), u32>) -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { semihosting::exit(boot::BAD_BOARD) };
    alarm::start(peripherals.SYST);
    executor::run(|spawner| {
        if let Err(code) = prepare(spawner, spawn) {
            semihosting::exit(code);
        }
    })
}

/// Never part of its caller, which goes on for ever: what is needed here would take up stack as long.
#[inline(never)]
fn prepare(spawner: Spawner, spawn: fn(Spawner, Start, Tcp) -> Result<(), u32>) -> Result<(), u32> {
    let (settings, account) = boot::settings()?;
    let tcp = net::start(spawner, boot::ethernet()?, boot::seed()?, BUFFERS.take()).map_err(|_| boot::BAD_BOARD)?;
    spawn(spawner, Start { settings, account, boot: boot::number()? }, tcp)
}

impl Start {
    /// What the image has been told.
    #[must_use]
    pub const fn settings(&self) -> &Settings<'static> {
        &self.settings
    }
}

/// What the task does that owns the client.
pub async fn keep(start: Start, mut connector: impl Connect) {
    let Start { settings, account, boot } = start;
    rehearse(&mut connector, &settings).await;
    let mut clock = EmbassyClock::new();
    let memory = memory::open(&settings, &account);
    let client = Client::new(account, settings.device, connector, clock, EXCHANGE.take());
    let mut client = client.with_memory(memory).await;
    if let Some(unix_s) = wall::unix_time() {
        client.keeper_mut().wall_clock(clock.now(), unix_s);
    }
    client.put_off(settings.device, Duration::from_secs(settings.spread_s.into()));
    memory::say_start(client.keeper(), clock.now(), client.poll_at());
    let (mut job, mut sensor) = (Job::new(&settings, boot), Sensor::new(settings, clock));
    boot::end(work(&mut client, &mut job, &mut clock, &mut sensor).await)
}

async fn rehearse(connector: &mut impl Connect, settings: &Settings<'_>) {
    for number in 1..=settings.connections {
        let limit = embassy_time::Duration::from_millis(CONNECT_LIMIT_MS.into());
        let result = connector.connect(settings.base).with_timeout(limit).await;
        let failed = result.map_or(Some(ConnectError::TimedOut), Result::err);
        super::rehearsed(number, failed);
    }
}
