//! What if the reply is broken, late, strange, or not the platform's at all?

use wxtoken_platform::Fault;

use super::{
    code,
    once::{Base, Door, NO_TOKEN, Once},
};
use crate::images::Of;

/// How many times as fast time passes where an image is to run into a limit of 10 s.
const HURRY: u32 = 5;

/// What an image says of a reply that ends early. Over TLS that is a connection which broke: nobody has said in a way that
/// can be believed that this is the end.
const CLOSED: &[&str] = &["closed before the reply was complete"];
const BROKEN: &[&str] = &["the connection broke before the reply was complete"];

/// A case in which every call meets a fault. `executed`: the platform minted a token all the same.
fn faulty(name: &str, fault: Fault, code: i32, says: &'static [&'static str], executed: bool) -> Once {
    Once { code, says, fetched: executed.into(), alarms: NO_TOKEN, ..Once::named(name).with_fault(fault) }
}

/// A case in which the reply is unusual and still right.
fn unusual(name: &str, fault: Fault) -> Once {
    Once::named(name).with_fault(fault)
}

/// Over plain HTTP, and all of it again over TLS. There time is in no hurry, since an emulated processor has to reckon
/// through the handshake within the 3 s for connecting.
pub(super) fn all() -> Vec<Once> {
    let over_tls = |once: Once| Once {
        name: format!("TLS: {}", once.name),
        of: Of::WithTls,
        base: Base::Https(Door::GOOD),
        hurry: 1,
        says: if once.says == CLOSED { BROKEN } else { once.says },
        ..once
    };
    let mut all = faults();
    all.extend(faults().into_iter().map(over_tls));
    all
}

/// Each of them has one fault, at every call.
pub(super) fn faults() -> Vec<Once> {
    let late: &[&str] = &["no complete reply in time"];
    let portal: &[&str] = &["is not the JSON of a WeChat reply", "is the server's address right?"];
    let trickle = |bytes, every_ms| Fault::Trickle { bytes, every_ms };
    let chunked = |with_length| Fault::Chunked { chunk: 7, extensions: true, trailers: true, with_length };
    vec![
        faulty("closed before the reply", Fault::ReplyLost, code::CUT, CLOSED, true),
        faulty("cut in mid-body", Fault::Cut { after: 10 }, code::CUT, CLOSED, true),
        faulty("reset before the reply", Fault::ResetBefore, code::CUT, &["the connection broke"], true),
        faulty(
            "reset in mid-body",
            Fault::ResetMidBody { after: 10 },
            code::CUT,
            &["before the reply was complete; it is tried again by itself"],
            true,
        ),
        Once { hurry: HURRY, ..faulty("accepts and stays silent", Fault::Silence, code::TIMED_OUT, late, true) },
        Once {
            hurry: HURRY,
            ..faulty("trickles for longer than an exchange may take", trickle(1, 50), code::TIMED_OUT, late, true)
        },
        Once {
            // The head and 20 bytes, in one piece, and nothing for a minute.
            hurry: HURRY,
            ..faulty("stalls in mid-body", trickle(200, 60_000), code::TIMED_OUT, late, true)
        },
        faulty(
            "oversize reply",
            Fault::Oversize { bytes: 100_000 },
            code::FOREIGN,
            &["does not fit into the buffer"],
            false,
        ),
        faulty(
            "redirected (302)",
            Fault::Redirect { location: "/elsewhere".to_owned() },
            code::FOREIGN,
            &["redirected, and not followed"],
            false,
        ),
        faulty(
            "a proxy's error page (502)",
            Fault::Status { status: 502 },
            code::FOREIGN,
            &["HTTP status 502 instead of a reply; it may pass by itself", "not what the platform"],
            false,
        ),
        faulty("a captive portal's page", Fault::Html, code::MALFORMED, portal, false),
        faulty("garbage", Fault::Garbage, code::MALFORMED, portal, false),
        faulty(
            "half a JSON text",
            Fault::Body { bytes: b"{\"access_token\":\"".to_vec() },
            code::MALFORMED,
            portal,
            false,
        ),
        faulty(
            "not HTTP at all",
            Fault::Raw { bytes: b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n".to_vec() },
            code::FOREIGN,
            &["not HTTP/1.1"],
            false,
        ),
        faulty("gzip that nobody asked for", Fault::GzipClaimed, code::FOREIGN, &["compressed"], true),
        faulty(
            "two lengths that differ",
            Fault::DuplicateLength { differing_by: 1 },
            code::FOREIGN,
            &["length is ambiguous"],
            true,
        ),
        faulty("chunks and a length", chunked(true), code::FOREIGN, &["length is ambiguous"], true),
        unusual("two lengths that agree", Fault::DuplicateLength { differing_by: 0 }),
        unusual("a body longer than its length", Fault::LongerBody { extra: 40 }),
        unusual("chunked, with extensions and trailers", chunked(false)),
        unusual("interim replies first (103)", Fault::Informational { count: 3 }),
        unusual("no length at all", Fault::UntilClose),
        unusual("ends without close_notify", Fault::NoCloseNotify),
        unusual("byte by byte", trickle(1, 1)),
    ]
}
