//! Does a Cortex-M3 without a heap keep a token fresh? The image for a LAN: plain HTTP to a central server, blocking.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use defmt_semihosting as _;
use static_cell::{ConstStaticCell, StaticCell};
use wxtoken_embedded::{Clock as _, DEFAULT_BUFFER_LEN, blocking::Client};
use wxtoken_firmware::{
    board::{
        lan9118::{ChipError, Frames, Lan9118},
        semihosting, stack, time,
    },
    gateway::{Job, blocking::keep_fresh},
    net::blocking::{Buffers, NO_SOCKETS, Network, Sockets},
    provision::Settings,
};

/// The command line or the account is not usable.
const BAD_SETTINGS: u32 = 2;
/// The board lacks something: a working Ethernet chip, chance.
const BAD_BOARD: u32 = 3;

static COMMAND_LINE: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
static FRAMES: ConstStaticCell<Frames> = ConstStaticCell::new(Frames::new());
static SOCKETS: StaticCell<Sockets> = StaticCell::new();
static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
static EXCHANGE: ConstStaticCell<[u8; DEFAULT_BUFFER_LEN]> = ConstStaticCell::new([0; DEFAULT_BUFFER_LEN]);

#[entry]
fn main() -> ! {
    let code = run().unwrap_or_else(|code| code);
    semihosting::exit(code)
}

fn run() -> Result<u32, u32> {
    let peripherals = cortex_m::Peripherals::take().ok_or(BAD_BOARD)?;
    let mut clock = time::start(peripherals.SYST);

    let line = semihosting::command_line(COMMAND_LINE.take()).unwrap_or("");
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
    time::hurry(settings.hurry);

    let seed = semihosting::random_seed().ok_or_else(|| {
        defmt::error!("board: no randomness; without it sequence numbers could be guessed");
        BAD_BOARD
    })?;
    let network = start_network(clock, seed)?;
    let mut client = Client::new(account, settings.device, network, clock, EXCHANGE.take());
    if let Some(unix_s) = semihosting::unix_time() {
        client.keeper_mut().wall_clock(clock.now(), unix_s);
    }
    client.put_off(settings.device, Duration::from_secs(settings.spread_s.into()));
    let wait = client.poll_at().saturating_since(clock.now()).as_secs();
    if wait > 0 {
        defmt::info!("gateway: lets others go first, fetches in {=u64} s", wait);
    }

    let mut job = Job::new(settings.end);
    let verdict = keep_fresh(&mut client, &mut job, |network| {
        network.poll();
        time::nap();
    });
    defmt::info!("gateway: done, {}; at most {=usize} bytes of stack were used", verdict, stack::high_water());
    Ok(verdict.exit_code())
}

fn start_network(clock: time::Clock, seed: u64) -> Result<Network, u32> {
    let broken = |why: ChipError| {
        defmt::error!("board: the Ethernet chip does not work: {}", why);
        BAD_BOARD
    };
    let mut chip = Lan9118::start(FRAMES.take()).map_err(broken)?;
    let address = chip.address().map_err(broken)?;
    Ok(Network::new(chip, address, clock, seed, SOCKETS.init(NO_SOCKETS), BUFFERS.take()))
}
