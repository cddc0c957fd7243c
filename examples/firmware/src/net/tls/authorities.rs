//! Which authorities does the device trust? Those of `authorities.pem`, or in an emulator those that the host hands over.

use alloc::vec;
use core::ffi::CStr;

use crate::{board::semihosting::file::File, boot, provision::Settings};

/// The authorities of WeChat's hosts, see `authorities/README.md`. This is the place for others, too: one PEM text after the
/// other.
static BUILT_IN: &str = concat!(include_str!("../../../authorities/wechat.pem"), "\0");

/// No bundle that a device has room for is longer.
const LONGEST: usize = 16 * 1024;

/// Hands the PEM texts to `parse`.
///
/// # Errors
/// [`boot::BAD_SETTINGS`], with the reason in the log.
pub(super) fn read<T, E>(settings: &Settings<'_>, parse: impl FnOnce(&CStr) -> Result<T, E>) -> Result<T, u32> {
    let parsed = match settings.authorities {
        None => CStr::from_bytes_with_nul(BUILT_IN.as_bytes()).ok().map(parse),
        // **EMULATOR ONLY**: the authority of the platform on the host, which makes itself a new one for each run.
        Some(name) => File::open(name).and_then(|mut file| {
            let len = file.len().filter(|&len| len <= LONGEST)?;
            let mut text = vec![0; len + 1];
            file.read(0, &mut text[..len]).then(|| CStr::from_bytes_with_nul(&text).ok().map(parse)).flatten()
        }),
    };
    parsed.and_then(Result::ok).ok_or_else(|| {
        defmt::error!("settings: the authorities to trust cannot be read; without any nobody is believed");
        boot::BAD_SETTINGS
    })
}
