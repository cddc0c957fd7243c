//! Does a Cortex-M3 keep a token fresh over TLS in a task, and send alarms with it? The image on embassy that asks WeChat
//! itself, or a central server far away.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt_semihosting as _;
use wxtoken_firmware::{
    board::{lan9118, time::alarm},
    boot,
    image::asynch::{Start, keep, run},
    net::tls::{Trust, asynch::Secured},
    serve,
};

serve!(Timer1 => alarm::on_interrupt, Ethernet => lan9118::on_interrupt);

#[entry]
fn main() -> ! {
    run(|spawner, start, tcp| {
        let trust = Trust::start(start.settings())?;
        spawner.spawn(gateway(start, Secured::new(tcp, trust)).map_err(|_| boot::BAD_BOARD)?);
        Ok(())
    })
}

#[embassy_executor::task]
async fn gateway(start: Start, secured: Secured) {
    keep(start, secured).await;
}
