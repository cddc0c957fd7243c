//! How does the device reach a server? Over the board's Ethernet, its address by DHCP, as the connector that
//! [`wxtoken_embedded`] asks for: [`blocking`] and, with the feature `async`, [`asynch`].
//!
//! Plain TCP by themselves: to a central server on the LAN that the user vouches for, never to WeChat itself. A base URL
//! with `https` is refused before anything is sent. [`tls`] (the feature of this name) makes of each of them a connector
//! that speaks TLS, too.

#[cfg(feature = "async")]
pub mod asynch;
pub mod blocking;
mod news;
#[cfg(feature = "tls")]
pub mod tls;
