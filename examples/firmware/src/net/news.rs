//! What does a field engineer want to know about the network? Its link and its address, the same words from every stack.

use core::net::Ipv4Addr;

/// The link has come or gone.
pub(super) fn link(up: bool) {
    if up {
        defmt::info!("network: link up");
    } else {
        defmt::warn!("network: link down; check the cable and what it is plugged into");
    }
}

/// DHCP gave this address.
pub(super) fn address(address: Ipv4Addr) {
    let [a, b, c, d] = address.octets();
    defmt::info!("network: address {=u8}.{=u8}.{=u8}.{=u8} by DHCP", a, b, c, d);
}
