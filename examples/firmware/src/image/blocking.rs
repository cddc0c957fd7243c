//! What does an image without an executor do, from its boot to its end?

use core::time::Duration;

use static_cell::{ConstStaticCell, StaticCell};
use wxtoken_embedded::{
    Clock as _, DEFAULT_BUFFER_LEN,
    blocking::{Client, Connect},
    core::EXCHANGE_LIMIT_MS,
};

use crate::{
    board::{
        semihosting,
        sensor::Sensor,
        time::{self, Clock},
        wall,
    },
    boot,
    gateway::{Job, Verdict, blocking::work},
    memory::{self, Memory},
    net::blocking::{Buffers, NO_SOCKETS, Network, Sockets},
    provision::Settings,
};

static SOCKETS: StaticCell<Sockets> = StaticCell::new();
static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
static EXCHANGE: ConstStaticCell<[u8; DEFAULT_BUFFER_LEN]> = ConstStaticCell::new([0; DEFAULT_BUFFER_LEN]);

/// Runs the image. `connector` makes of the network what connections are opened with, or returns the exit code; `network`
/// finds the network in it again, which wants to be polled while there is nothing to do.
pub fn run<C: Connect>(
    connector: impl FnOnce(Network, &Settings<'static>) -> Result<C, u32>,
    network: fn(&mut C) -> &mut Network,
) -> ! {
    match try_run(connector, network) {
        Ok(verdict) => boot::end(verdict),
        Err(code) => semihosting::exit(code),
    }
}

fn try_run<C: Connect>(
    connector: impl FnOnce(Network, &Settings<'static>) -> Result<C, u32>,
    network: fn(&mut C) -> &mut Network,
) -> Result<Verdict, u32> {
    let mut ready = None;
    prepare(connector, &mut ready)?;
    ready.as_mut().map(|ready| go_on(ready, network)).ok_or(boot::BAD_BOARD)
}

/// What the job is done with.
struct Ready<C> {
    settings: Settings<'static>,
    client: Client<'static, C, Clock, Option<Memory>>,
    clock: Clock,
    boot: u32,
}

/// Never part of its caller, which goes on for ever: what is needed here would take up stack as long.
#[inline(never)]
fn prepare<C: Connect>(
    connector: impl FnOnce(Network, &Settings<'static>) -> Result<C, u32>,
    ready: &mut Option<Ready<C>>,
) -> Result<(), u32> {
    let peripherals = cortex_m::Peripherals::take().ok_or(boot::BAD_BOARD)?;
    let mut clock = time::start(peripherals.SYST);
    let (settings, account) = boot::settings()?;
    let stack = Network::new(boot::ethernet()?, clock, boot::seed()?, SOCKETS.init(NO_SOCKETS), BUFFERS.take());
    let mut connector = connector(stack, &settings)?;
    rehearse(&mut connector, &settings, clock);
    let memory = memory::open(&settings, &account);
    let mut client = Client::new(account, settings.device, connector, clock, EXCHANGE.take()).with_memory(memory);
    if let Some(unix_s) = wall::unix_time() {
        client.keeper_mut().wall_clock(clock.now(), unix_s);
    }
    client.put_off(settings.device, Duration::from_secs(settings.spread_s.into()));
    memory::say_start(client.keeper(), clock.now(), client.poll_at());
    *ready = Some(Ready { settings, client, clock, boot: boot::number()? });
    Ok(())
}

/// Does the job. Apart from the preparation, so that neither needs its stack on top of the other's.
#[inline(never)]
fn go_on<C: Connect>(ready: &mut Ready<C>, network: fn(&mut C) -> &mut Network) -> Verdict {
    let Ready { settings, client, clock, boot } = ready;
    let mut job = Job::new(settings, *boot);
    let mut sensor = Sensor::new(*settings, *clock);
    work(client, &mut job, clock, &mut sensor, |connector| {
        network(connector).poll();
        time::nap();
    })
}

fn rehearse(connector: &mut impl Connect, settings: &Settings<'_>, mut clock: Clock) {
    for number in 1..=settings.connections {
        let deadline = clock.now().saturating_add(Duration::from_millis(EXCHANGE_LIMIT_MS.into()));
        let failed = connector.connect(settings.base, deadline).err();
        super::rehearsed(number, failed);
    }
}
