//! What do all images have in common? Everything but the connection: they differ in what they open it with.
//!
//! [`blocking`] runs the job in a loop of its own and, with the feature `async`, [`asynch`] in a task of embassy.

#[cfg(feature = "async")]
pub mod asynch;
pub mod blocking;

use wxtoken_embedded::ConnectError;

/// Says what came of connection `number` of a rehearsal, and what is left of it when it has been closed.
fn rehearsed(number: u32, failed: Option<ConnectError>) {
    #[cfg(feature = "tls")]
    let heap = crate::board::heap::in_use();
    #[cfg(not(feature = "tls"))]
    let heap = 0_usize;
    let what = failed.map_or("opened and closed", ConnectError::text);
    defmt::info!("rehearsal: connection {=u32}: {=str}; {=usize} bytes of heap in use", number, what, heap);
}
