//! Does a Cortex-M3 without a heap keep a token fresh and send alarms with it? The image for a LAN: plain HTTP to a central
//! server, blocking.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt_semihosting as _;
use wxtoken_firmware::image::blocking::run;

#[entry]
fn main() -> ! {
    run(|network, _| Ok(network), |network| network)
}
