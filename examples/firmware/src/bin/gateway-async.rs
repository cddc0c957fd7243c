//! Does a Cortex-M3 without a heap keep a token fresh in a task, and send alarms with it? The image for a LAN on embassy:
//! plain HTTP to a central server.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt_semihosting as _;
use wxtoken_firmware::{
    board::{lan9118, time::alarm},
    boot,
    image::asynch::{Start, keep, run},
    net::asynch::Tcp,
    serve,
};

serve!(Timer1 => alarm::on_interrupt, Ethernet => lan9118::on_interrupt);

#[entry]
fn main() -> ! {
    run(|spawner, start, tcp| {
        spawner.spawn(gateway(start, tcp).map_err(|_| boot::BAD_BOARD)?);
        Ok(())
    })
}

#[embassy_executor::task]
async fn gateway(start: Start, tcp: Tcp) {
    keep(start, tcp).await;
}
