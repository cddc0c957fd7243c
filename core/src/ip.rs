//! Is this text an address? The same answers as `core::net`, whose parser keeps bounds checks, and with them a panic
//! path that the link proof would find. Bytes, not characters: walking a text by character costs a small target more.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) fn parse(text: &[u8]) -> Option<IpAddr> {
    v4(text).map(|octets| IpAddr::V4(Ipv4Addr::from(octets))).or_else(|| v6(text).map(IpAddr::V6))
}

#[inline(never)]
fn v4(text: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut parts = text.split(|&b| b == b'.');
    for octet in &mut octets {
        let part = parts.next()?;
        // A leading zero is refused, since some read it as octal.
        if part.len() > 1 && part.starts_with(b"0") {
            return None;
        }
        *octet = u8::try_from(number(part, 10)?).ok()?;
    }
    parts.next().is_none().then_some(octets)
}

/// RFC 4291, section 2.2: eight groups, `::` once for a run of zeros, an IPv4 address as the last two groups.
#[inline(never)]
pub(crate) fn v6(text: &[u8]) -> Option<Ipv6Addr> {
    let (mut groups, mut len) = ([0_u16; 8], 0_usize);
    let mut push = |group: u16| -> Option<usize> {
        *groups.get_mut(len)? = group;
        len = len.saturating_add(1);
        Some(len)
    };
    // Where "::" stood, counted in groups.
    let mut gap = None;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix(b"::") {
        (gap, rest) = (Some(0), after);
    }
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b':').unwrap_or(rest.len());
        let (word, more) = rest.split_at_checked(end)?;
        if let (true, Some([a, b, c, d])) = (more.is_empty(), v4(word)) {
            push(u16::from_be_bytes([a, b]))?;
            push(u16::from_be_bytes([c, d]))?;
            break;
        }
        let pushed = push(number(word, 16)?)?;
        rest = match more {
            [b':', b':', ..] if gap.is_some() => return None,
            [b':', b':', after @ ..] => {
                gap = Some(pushed);
                after
            }
            // A single colon must be followed by something.
            [_] => return None,
            [_, after @ ..] => after,
            [] => more,
        };
    }
    // The run of zeros is put in after `gap` groups. "::" stands for at least one.
    let missing = groups.len().checked_sub(len)?;
    if gap.is_some() != (missing > 0) {
        return None;
    }
    let mut all = [0; 8];
    for (at, &group) in groups.iter().take(len).enumerate() {
        let before = gap.is_none_or(|gap| at < gap);
        *all.get_mut(if before { at } else { at.saturating_add(missing) })? = group;
    }
    Some(Ipv6Addr::from(all))
}

/// One to four digits and nothing else, no sign.
fn number(digits: &[u8], radix: u16) -> Option<u16> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0_u16, |n, &byte| {
        let digit = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'a'..=b'f' | b'A'..=b'F' => (byte | 0x20).wrapping_sub(b'a' - 10),
            _ => return None,
        };
        // Four digits fit.
        (u16::from(digit) < radix).then_some(n.wrapping_mul(radix).wrapping_add(digit.into()))
    })
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
            assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text:?}");
            seen += usize::from(parse(text.as_bytes()).is_some());
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
            assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text:?}");
        }
    }
}
