//! Any text for a base URL or an errmsg: addresses are what the standard library calls addresses, and nothing that
//! could carry a secret or split a line gets through.

#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use wxtoken_core::{Base, Phase, Product, Refusal};

fuzz_target!(|text: &str| {
    if let Ok(base) = Base::parse(text) {
        let shown = base.to_string();
        assert_eq!(Base::parse(&shown).map(|b| b.to_string()).as_deref(), Ok(&*shown));
        assert!(shown.bytes().all(|b| b.is_ascii_graphic()) && !shown.contains(['?', '#', '"', '\\', '<', '>']));
        assert!(!base.host_str().contains(['@', '/']) && base.port() != 0);
        let inner = base.host_str().strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        if let Some(inner) = inner {
            assert!(inner.parse::<Ipv6Addr>().is_ok());
        }
        let address = inner.unwrap_or(base.host_str()).parse::<IpAddr>();
        let loopback = base.host_str() == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
        assert_eq!(base.is_loopback(), loopback);
    }
    let bracketed = format!("http://[{text}]");
    assert_eq!(Base::parse(&bracketed).is_ok(), text.parse::<Ipv6Addr>().is_ok());

    let refusal = Refusal::new(Product::Work, Phase::Fetching, 40164, text);
    assert!(refusal.address().is_none_or(|a| a.parse::<IpAddr>().is_ok() && text.contains(a)));
    let trace_like = |t: &str| t.bytes().all(|b| b.is_ascii_hexdigit() || b"-_".contains(&b));
    assert!(refusal.trace().is_none_or(|t| trace_like(t) && text.contains(t)));
});
