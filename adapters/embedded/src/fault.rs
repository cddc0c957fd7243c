//! Why was there no reply, and what helps against it?

use core::fmt;

/// Why an exchange brought no reply. Holds no text of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// There was no connection.
    Connect(ConnectError),
    /// The request does not fit into the buffer; hand over a larger one.
    RequestTooLong,
    /// The connection reported an error.
    Broken,
    /// The connection ended before the reply was complete.
    Cut,
    /// The deadline passed.
    TimedOut,
    /// What came is not HTTP/1.0 or 1.1, or a switch of protocols nobody asked for.
    NotHttp,
    /// The head of the reply does not fit into the buffer, has more than 24 fields, or interim replies never end.
    HeadTooLong,
    /// The body does not fit into the buffer.
    BodyTooLong,
    /// The length of the body is ambiguous: two framings, differing lengths, not a number (RFC 9112, section 6.3).
    Framing,
    /// The chunks are not as RFC 9112, section 7.1 wants them, or carry more than 1 KiB besides their data.
    Chunk,
    /// The body is compressed or otherwise encoded, which nobody asked for.
    Encoded,
    /// The reply is a redirection of this status. It is never followed: the request carries the secret.
    Redirected(u16),
    /// Bytes follow the reply on a connection that was to be used again.
    Surplus,
    /// The source of a call's body ended before the length it had announced, or failed.
    Source,
    /// The sink of a call's reply took no more.
    Sink,
    /// The exchange has not ended yet.
    Unfinished,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Fault {
    /// Whether it lies on this side, so that the same again ends the same way.
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::RequestTooLong | Self::BodyTooLong | Self::Source | Self::Sink)
    }

    /// What happened and what to look at, for a person, in one line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Connect(why) => why.text(),
            Self::RequestTooLong => "the request does not fit into the buffer; give the client a larger one",
            Self::Broken => "the connection broke before the reply was complete; it is tried again by itself",
            Self::Cut => "the peer closed before the reply was complete; it is tried again by itself",
            Self::TimedOut => "no complete reply in time; it is tried again by itself",
            Self::NotHttp => "the reply is not HTTP/1.1; is it the right port, and does something sit in between?",
            Self::HeadTooLong => "the head of the reply does not fit into the buffer; is this WeChat?",
            Self::BodyTooLong => "the reply does not fit into the buffer; is this WeChat, or a proxy's page?",
            Self::Framing => "the reply's length is ambiguous; does a proxy sit in between?",
            Self::Chunk => "the reply's chunks are malformed; does a proxy sit in between?",
            Self::Encoded => "the reply is compressed although nobody asked for it; does a proxy sit in between?",
            Self::Redirected(_) => "redirected, and not followed; is the base URL right, or is this a captive portal?",
            Self::Surplus => "bytes follow the reply; does a proxy sit in between?",
            Self::Source => "the body's source ended before its length; look at what is to be sent",
            Self::Sink => "the reply could not be put away; is the storage full?",
            Self::Unfinished => "the exchange has not ended yet",
        }
    }
}

impl core::error::Error for Fault {}

/// Why there was no connection. The platform cannot have seen the request, so none of these costs quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// No link, no address, no registration in a mobile network.
    NoNetwork,
    /// The host's name was not resolved.
    NameNotFound,
    /// Nobody accepts connections there, or no route leads there.
    Refused,
    /// No connection within [`CONNECT_LIMIT_MS`](wxtoken_core::CONNECT_LIMIT_MS).
    TimedOut,
    /// The server's certificate is not one that is trusted.
    Certificate,
    /// TLS could not be agreed upon.
    Tls,
    /// The base URL says `https` and this connector speaks plain TCP. Nothing was sent in the clear.
    NoTls,
    /// Anything else: no free socket, a modem that does not answer.
    Other,
}

impl ConnectError {
    /// What happened and what to look at, for a person, in one line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoNetwork => "no network; check the link, the address and the registration",
            Self::NameNotFound => "the host's name was not resolved; check the resolver and the base URL",
            Self::Refused => "no connection: refused, or no route; check the host, the port and the gateway",
            Self::TimedOut => "no connection in time; does a firewall drop the packets?",
            Self::Certificate => "the server's certificate is not trusted; check the device's date and its roots",
            Self::Tls => "TLS could not be agreed upon; is it the right port?",
            Self::NoTls => "the base URL says https, and this connector speaks plain TCP only",
            Self::Other => "the network stack could not connect; check its log",
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for ConnectError {}
