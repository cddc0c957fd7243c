//! Is this text an address? The same answers as `core::net`, whose parser keeps bounds checks, and with them a panic
//! path that the link proof would find.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    v4(text).map(IpAddr::V4).or_else(|| v6(text).map(IpAddr::V6))
}

fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split(['.']).map(octet);
    let [a, b, c, d] = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(Ipv4Addr::new(a, b, c, d))
}

/// One to three digits; a leading zero is refused, since some read it as octal.
fn octet(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with(['0']));
    if digits { text.parse().ok() } else { None }
}

/// RFC 4291, section 2.2: eight groups, `::` once for a run of zeros, an IPv4 address as the last two groups.
pub(crate) fn v6(text: &str) -> Option<Ipv6Addr> {
    let mut groups = Groups::default();
    // Where "::" stood, counted in groups.
    let mut gap = None;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("::") {
        (gap, rest) = (Some(0), after);
    }
    while !rest.is_empty() {
        let end = rest.find([':']).unwrap_or(rest.len());
        let (word, more) = rest.split_at_checked(end)?;
        if let (true, Some(tail)) = (more.is_empty(), v4(word)) {
            let [a, b, c, d] = tail.octets();
            groups.push(u16::from_be_bytes([a, b]))?;
            groups.push(u16::from_be_bytes([c, d]))?;
            break;
        }
        groups.push(hextet(word)?)?;
        rest = if let Some(after) = more.strip_prefix("::") {
            if gap.replace(groups.len).is_some() {
                return None;
            }
            after
        } else if let Some(after) = more.strip_prefix(":") {
            // A single colon must be followed by something.
            if after.is_empty() {
                return None;
            }
            after
        } else {
            more
        };
    }
    groups.spread(gap)
}

fn hextet(text: &str) -> Option<u16> {
    // `from_str_radix` takes a sign.
    let digits = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if digits { u16::from_str_radix(text, 16).ok() } else { None }
}

/// Up to eight groups as they are read.
#[derive(Default)]
struct Groups {
    read: [u16; 8],
    len: usize,
}

impl Groups {
    fn push(&mut self, group: u16) -> Option<()> {
        *self.read.get_mut(self.len)? = group;
        self.len = self.len.saturating_add(1);
        Some(())
    }

    /// The address, with the run of zeros put in after `gap` groups. "::" stands for at least one group.
    fn spread(self, gap: Option<usize>) -> Option<Ipv6Addr> {
        let missing = self.read.len().checked_sub(self.len)?;
        if gap.is_some() != (missing > 0) {
            return None;
        }
        let gap = gap.unwrap_or(self.len);
        let mut all = [0; 8];
        for (at, &group) in self.read.iter().take(self.len).enumerate() {
            let at = if at < gap { at } else { at.saturating_add(missing) };
            *all.get_mut(at)? = group;
        }
        Some(Ipv6Addr::from(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_core_net_does() {
        let pieces =
            ["0", "1", "01", "255", "256", "ffff", "fffff", "1.2.3.4", "::", ":", ".", "-1", "+1", "g", "A0", ""];
        let mut seen = 0;
        // Every text of up to four pieces: nearly every shape of both families and of their mistakes.
        let mut choice = [0_usize; 4];
        loop {
            let mut text = heapless::String::<64>::new();
            for &c in &choice {
                text.push_str(pieces[c]).expect("four pieces fit");
            }
            assert_eq!(parse(&text), text.parse().ok(), "{text:?}");
            seen += usize::from(parse(&text).is_some());
            let Some(at) = choice.iter().rposition(|&c| c + 1 < pieces.len()) else { break };
            choice[at] += 1;
            choice[at + 1..].fill(0);
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn long_forms_too() {
        for text in [
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4::5:6:7:8",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "1:2:3:4:5:1.2.3.4",
            "::ffff:1.2.3.4",
            "1.2.3.4::",
            "1::2::3",
            ":1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:",
            "fe80::1%eth0",
            "2001:DB8::a",
            "0001.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            " 1.2.3.4",
        ] {
            assert_eq!(parse(text), text.parse().ok(), "{text:?}");
        }
    }
}
