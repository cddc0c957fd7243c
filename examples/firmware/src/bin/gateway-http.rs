//! Does a Cortex-M3 without a heap keep a token fresh and send alarms with it? The image for a LAN: plain HTTP to a central
//! server, blocking.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use defmt_semihosting as _;
use static_cell::{ConstStaticCell, StaticCell};
use wxtoken_embedded::{Clock as _, DEFAULT_BUFFER_LEN, blocking::Client};
use wxtoken_firmware::{
    board::{semihosting, sensor::Sensor, time, wall},
    boot,
    gateway::{Job, Verdict, blocking::work},
    memory,
    net::blocking::{Buffers, NO_SOCKETS, Network, Sockets},
};

static SOCKETS: StaticCell<Sockets> = StaticCell::new();
static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
static EXCHANGE: ConstStaticCell<[u8; DEFAULT_BUFFER_LEN]> = ConstStaticCell::new([0; DEFAULT_BUFFER_LEN]);

#[entry]
fn main() -> ! {
    match run() {
        Ok(verdict) => boot::end(verdict),
        Err(code) => semihosting::exit(code),
    }
}

fn run() -> Result<Verdict, u32> {
    let peripherals = cortex_m::Peripherals::take().ok_or(boot::BAD_BOARD)?;
    let mut clock = time::start(peripherals.SYST);
    let (settings, account) = boot::settings()?;
    let network = Network::new(boot::ethernet()?, clock, boot::seed()?, SOCKETS.init(NO_SOCKETS), BUFFERS.take());
    let memory = memory::open(&settings, &account);
    let mut client = Client::new(account, settings.device, network, clock, EXCHANGE.take()).with_memory(memory);
    if let Some(unix_s) = wall::unix_time() {
        client.keeper_mut().wall_clock(clock.now(), unix_s);
    }
    client.put_off(settings.device, Duration::from_secs(settings.spread_s.into()));
    memory::say_start(client.keeper(), clock.now(), client.poll_at());
    let mut job = Job::new(&settings, boot::number()?);
    let mut sensor = Sensor::new(settings, clock);
    Ok(work(&mut client, &mut job, &mut clock, &mut sensor, |network| {
        network.poll();
        time::nap();
    }))
}
