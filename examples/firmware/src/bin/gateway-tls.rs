//! Does a Cortex-M3 keep a token fresh over TLS and send alarms with it? The image that asks WeChat itself, or a central
//! server far away: blocking.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt_semihosting as _;
use wxtoken_firmware::{
    image::blocking::run,
    net::tls::{Trust, blocking::Secured},
};

#[entry]
fn main() -> ! {
    run(|network, settings| Ok(Secured::new(network, Trust::start(settings)?)), Secured::network)
}
