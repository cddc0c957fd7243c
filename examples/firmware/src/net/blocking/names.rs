//! At which address is a host? DNS of smoltcp, one question at a time, asked of the server that DHCP names.

use smoltcp::{
    socket::dns::{GetQueryResultError, Socket},
    wire::{DnsQueryType, IpAddress, Ipv4Address},
};
use wxtoken_embedded::{ConnectError, core::Instant};

use super::Network;

impl Network {
    /// The address of `host`. One that is an address needs no resolver.
    pub(super) fn resolve(&mut self, host: &str, until: Instant) -> Result<Ipv4Address, ConnectError> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let Self { interface, sockets, dns, .. } = self;
        let socket = sockets.get_mut::<Socket<'_>>(*dns);
        let asked = socket.start_query(interface.context(), host, DnsQueryType::A);
        let question = asked.map_err(|_| ConnectError::NameNotFound)?;
        let found = self.wait(until, |net| match net.resolver().get_query_result(question) {
            Err(GetQueryResultError::Pending) => None,
            Err(GetQueryResultError::Failed) => Some(None),
            Ok(addresses) => Some(addresses.first().copied()),
        });
        if found.is_none() {
            // Nobody answered, and there is room for one question only.
            self.resolver().cancel_query(question);
        }
        match found.flatten() {
            Some(IpAddress::Ipv4(address)) => Ok(address),
            None => Err(ConnectError::NameNotFound),
        }
    }

    pub(super) fn resolver(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.dns)
    }
}
