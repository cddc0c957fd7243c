//! How do thousands of credentials share a few connections? An agenda of instants says which is due, and a bounded number
//! of exchanges for each host are under way.

mod agenda;
mod attempt;
mod https;
mod stream;
mod transport;

pub(crate) use self::{
    agenda::{Agenda, Entry, HostId},
    attempt::attempt,
};
pub use self::{
    https::{BadRoots, Https, Roots},
    stream::{Forwarding, Stream},
    transport::{Exchange, Response, Transport},
};
