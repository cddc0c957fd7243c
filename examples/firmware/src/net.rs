//! How does the device reach a server? Over the board's Ethernet, its address by DHCP, as the connector that
//! [`wxtoken_embedded`] asks for.
//!
//! Plain TCP, to an address: a central server on the LAN that the user vouches for, never WeChat itself. A base URL with
//! `https` is refused before anything is sent.

pub mod blocking;
