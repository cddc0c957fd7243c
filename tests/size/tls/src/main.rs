//! What does TLS cost beside our own? Mbed TLS with a chain to check, over a connection of which nothing is known.
#![no_std]
#![no_main]

use core::{convert::Infallible, ffi::CStr, hint::black_box};

// An allocator wants its critical sections.
use cortex_m as _;
use embedded_alloc::LlffHeap;
use mbedtls_rs::{
    AuthMode, Certificate, ClientSessionConfig, SessionConfig, SessionError, Tls, TlsVersion, X509,
    blocking::Session,
    sys::{
        hook::wall_clock::{MbedtlsWallClock, hook_wall_clock},
        tm,
    },
};
use rand_core::{TryCryptoRng, TryRng};
use tinyrlibc as _;
use wxtoken_size::{BUFFER_LEN, socket::Socket};

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: nothing here is ever run; on a device the heap is a static array of its own.
    unsafe { HEAP.init(black_box(0x2000_8000), black_box(0x8000)) };
    // SAFETY: the hook is a static without state.
    unsafe { hook_wall_clock(Some(&Date)) };
    let mut chance = Chance;
    // SAFETY: it is dropped before what it borrows.
    let Ok(tls) = (unsafe { Tls::new_local_borrows(&mut chance) }) else { cortex_m::asm::udf() };
    loop {
        let _ = black_box(talk(&tls));
    }
}

fn talk(tls: &Tls<'_>) -> Result<usize, SessionError> {
    let roots: &CStr = black_box(c"roots");
    let ca_chain = Certificate::new(X509::PEM(roots)).map_err(SessionError::MbedTls)?;
    let config = SessionConfig::Client(ClientSessionConfig {
        ca_chain: Some(ca_chain),
        auth_mode: AuthMode::Required,
        min_version: TlsVersion::Tls1_2,
        ..ClientSessionConfig::new()
    });
    let mut session = Session::new(tls.reference(), Socket, &config)?;
    session.set_server_name(black_box(c"api.weixin.qq.com"))?;
    session.connect()?;
    let mut buffer = [0; BUFFER_LEN];
    session.write(black_box(&buffer))?;
    session.flush()?;
    session.read(black_box(&mut buffer))
}

struct Date;

impl MbedtlsWallClock for Date {
    fn instant(&self) -> Option<tm> {
        black_box(None)
    }
}

/// Numbers of which nothing is known, chance among them.
struct Chance;

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, room: &mut [u8]) -> Result<(), Infallible> {
        black_box(room);
        Ok(())
    }
}

impl TryCryptoRng for Chance {}
