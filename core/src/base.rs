//! Which host is asked: scheme, host, port and path prefix, checked once and borrowed for ever.

use core::fmt;

use crate::ip;

/// How the bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Scheme {
    /// In the clear. For loopback, or a LAN the user vouches for: the secret is readable on the way.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The name as in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port when none is named: 80 or 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The root of all requests to one platform or one central server: `https://api.weixin.qq.com`,
/// `http://127.0.0.1:8440/wechat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Base<'a> {
    scheme: Scheme,
    host: &'a str,
    /// 0 stands for "not named": the scheme's own.
    port: u16,
    prefix: &'a str,
}

impl Base<'static> {
    /// The nearest site of 公众平台, for official accounts and mini programs.
    pub const API: Self = Self::host("api.weixin.qq.com");
    /// The off-site recovery of 公众平台.
    pub const API2: Self = Self::host("api2.weixin.qq.com");
    /// The Shanghai site.
    pub const SHANGHAI: Self = Self::host("sh.api.weixin.qq.com");
    /// The Shenzhen site.
    pub const SHENZHEN: Self = Self::host("sz.api.weixin.qq.com");
    /// The Hong Kong site.
    pub const HONG_KONG: Self = Self::host("hk.api.weixin.qq.com");
    /// The one host of 企业微信.
    pub const WORK: Self = Self::host("qyapi.weixin.qq.com");

    const fn host(host: &'static str) -> Self {
        Self { scheme: Scheme::Https, host, port: 0, prefix: "" }
    }
}

impl<'a> Base<'a> {
    /// Reads `scheme://host[:port][/prefix]`.
    ///
    /// An IPv6 host stands in brackets. The prefix may end in a slash, which is dropped.
    ///
    /// # Errors
    /// [`BadBase`] names the part that is wrong. A user name, a query or a fragment is refused: they would end up in
    /// places where a secret must not be.
    pub fn parse(url: &'a str) -> Result<Self, BadBase> {
        let (scheme, rest) = if let Some(rest) = url.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = url.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(BadBase::Scheme);
        };
        let (authority, prefix) = match rest.find(['/']).and_then(|at| rest.split_at_checked(at)) {
            Some((authority, prefix)) => (authority, prefix.trim_end_matches('/')),
            None => (rest, ""),
        };
        // Before the port, so that a user name with a password is not called a bad port.
        if authority.contains('@') {
            return Err(BadBase::Host);
        }
        let (host, port) = split_port(authority)?;
        if !is_host(host) {
            return Err(BadBase::Host);
        }
        // What RFC 3986 allows in a path segment, less the percent sign's freedom: it must already be encoded.
        if !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$'()*+,;=:@".contains(&b)) {
            return Err(BadBase::Prefix);
        }
        Ok(Self { scheme, host, port, prefix })
    }

    /// How the bytes travel.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host as written: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub const fn host_str(&self) -> &'a str {
        self.host
    }

    /// The port, the scheme's own if none was named.
    #[must_use]
    pub const fn port(&self) -> u16 {
        if self.port == 0 { self.scheme.default_port() } else { self.port }
    }

    /// What stands before every path; empty, or begins with a slash and does not end in one.
    #[must_use]
    pub const fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// Whether the host is this machine by address (or the name `localhost`), the one place where plain HTTP is safe.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || ip::parse(ip.as_bytes()).is_some_and(|ip| ip.is_loopback())
    }

    /// `host[:port]` as the Host header wants it.
    pub(crate) fn authority(&self) -> (&'a str, Option<u16>) {
        let port = self.port();
        (self.host, (port != self.scheme.default_port()).then_some(port))
    }
}

/// `scheme://host[:port][/prefix]`, without any secret: those live in the query and the body.
impl fmt::Display for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_str())?;
        f.write_str("://")?;
        let (host, port) = self.authority();
        f.write_str(host)?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.prefix)
    }
}

fn split_port(authority: &str) -> Result<(&str, u16), BadBase> {
    // The last colon separates a port unless it stands inside the brackets of an IPv6 address.
    match authority.rsplit_once([':']) {
        Some((host, port)) if !port.contains(']') => {
            let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            match port.parse() {
                Ok(port) if digits && port != 0 => Ok((host, port)),
                _ => Err(BadBase::Port),
            }
        }
        _ => Ok((authority, 0)),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return ip::v6(inner.as_bytes()).is_some();
    }
    !host.is_empty() && host.len() <= 253 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Which part of a base URL is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadBase {
    /// It begins with neither `http://` nor `https://`.
    Scheme,
    /// The host is empty or has characters no host name has (a user name before an `@` is refused too).
    Host,
    /// The port is not a number in 1..=65535.
    Port,
    /// The path has a query, a fragment, a space or an unencoded character.
    Prefix,
}

impl fmt::Display for BadBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the base URL must begin with https:// (or http:// for loopback)",
            Self::Host => "the base URL's host is not a host name or address; write https://host[:port][/prefix]",
            Self::Port => "the base URL's port is not a number from 1 to 65535",
            Self::Prefix => "the base URL's path may hold neither query, fragment nor spaces",
        })
    }
}

impl core::error::Error for BadBase {}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn what_is_read_is_written_back() {
        for url in [
            "https://api.weixin.qq.com",
            "http://127.0.0.1:8440/wechat/v1",
            "http://[::1]:80000",
            "https://[2001:db8::1]:8443",
            "http://localhost",
        ] {
            match Base::parse(url) {
                Ok(base) => assert_eq!(base.to_string(), url),
                Err(e) => assert_eq!((url, e), ("http://[::1]:80000", BadBase::Port)),
            }
        }
        assert_eq!(Base::parse("https://h:443/a/").map(|b| b.to_string()), Ok("https://h/a".into()));
        assert_eq!(Base::API.port(), 443);
    }

    #[test]
    fn what_could_carry_a_secret_or_split_a_line_is_refused() {
        for (url, want) in [
            ("ftp://h", BadBase::Scheme),
            ("h", BadBase::Scheme),
            ("https://", BadBase::Host),
            ("https://user:pw@h", BadBase::Host),
            ("https://h\r\nX", BadBase::Host),
            ("https://[::g]", BadBase::Host),
            ("https://h:", BadBase::Port),
            ("https://h:0", BadBase::Port),
            ("https://h:+80", BadBase::Port),
            ("https://h:65536", BadBase::Port),
            ("https://h/a?b=c", BadBase::Prefix),
            ("https://h/a#b", BadBase::Prefix),
            ("https://h/a b", BadBase::Prefix),
            ("https://h/\u{e9}", BadBase::Prefix),
        ] {
            assert_eq!(Base::parse(url), Err(want), "{url:?}");
        }
    }

    #[test]
    fn loopback_is_known_by_address() {
        for (url, want) in [
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://192.168.1.1", false),
        ] {
            assert_eq!(Base::parse(url).map(|b| b.is_loopback()), Ok(want), "{url}");
        }
    }
}
