//! Does a Cortex-M3 without a heap keep a token fresh in a task, and send alarms with it? The image for a LAN on embassy:
//! plain HTTP to a central server.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use defmt_semihosting as _;
use embassy_executor::Spawner;
use static_cell::ConstStaticCell;
use wxtoken_embedded::{Clock as _, DEFAULT_BUFFER_LEN, EmbassyClock, asynch::Client, core::Account};
use wxtoken_firmware::{
    board::{executor, lan9118, semihosting, sensor::Sensor, time::alarm, wall},
    boot,
    gateway::{Job, asynch::work},
    memory,
    net::asynch::{self as net, Buffers, Tcp},
    provision::Settings,
    serve,
};

serve!(Timer1 => alarm::on_interrupt, Ethernet => lan9118::on_interrupt);

static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
static EXCHANGE: ConstStaticCell<[u8; DEFAULT_BUFFER_LEN]> = ConstStaticCell::new([0; DEFAULT_BUFFER_LEN]);

#[entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { semihosting::exit(boot::BAD_BOARD) };
    alarm::start(peripherals.SYST);
    executor::run(|spawner| {
        if let Err(code) = prepare(spawner) {
            semihosting::exit(code);
        }
    })
}

/// Never part of its caller, which goes on for ever: what is needed here would take up stack as long.
#[inline(never)]
fn prepare(spawner: Spawner) -> Result<(), u32> {
    let (settings, account) = boot::settings()?;
    let tcp = net::start(spawner, boot::ethernet()?, boot::seed()?, BUFFERS.take()).map_err(|_| boot::BAD_BOARD)?;
    let boot = boot::number()?;
    spawner.spawn(keep(settings, account, tcp, boot).map_err(|_| boot::BAD_BOARD)?);
    Ok(())
}

/// The task that owns the client.
#[embassy_executor::task]
async fn keep(settings: Settings<'static>, account: Account<'static>, tcp: Tcp, boot: u32) {
    let mut clock = EmbassyClock::new();
    let memory = memory::open(&settings, &account);
    let client = Client::new(account, settings.device, tcp, clock, EXCHANGE.take());
    let mut client = client.with_memory(memory).await;
    if let Some(unix_s) = wall::unix_time() {
        client.keeper_mut().wall_clock(clock.now(), unix_s);
    }
    client.put_off(settings.device, Duration::from_secs(settings.spread_s.into()));
    memory::say_start(client.keeper(), clock.now(), client.poll_at());
    let (mut job, mut sensor) = (Job::new(&settings, boot), Sensor::new(settings, clock));
    boot::end(work(&mut client, &mut job, &mut clock, &mut sensor).await)
}
