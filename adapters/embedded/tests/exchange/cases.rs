//! The replies, and what must be made of them. One table for the machine and both pumps.

use wxtoken_embedded::Fault;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) reply: Vec<u8>,
    /// Status and body, or the fault.
    pub(crate) want: Result<(u16, Vec<u8>), Fault>,
    /// Length of the buffer, in bytes.
    pub(crate) room: usize,
    pub(crate) keep_alive: bool,
    pub(crate) reusable: bool,
}

const STABLE: &str = r#"{"access_token":"accesstoken000001","expires_in":7200}"#;
const WORK: &str = r#"{"errcode":0,"errmsg":"ok","access_token":"accesstoken000001","expires_in":7200}"#;
const REFUSED: &str = r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"}"#;

/// A chunked body of two chunks, with an extension each, and two trailers.
const CHUNKS: &str = "7;name=value\r\n{\"acces\r\n2F ;q=\"quoted;text\"\r\ns_token\":\"accesstoken000001\",\"expires_in\":7200}\r\n0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n";

fn good(name: &'static str, reply: String, status: u16, body: &str) -> Case {
    let want = Ok((status, body.as_bytes().to_vec()));
    Case { name, reply: reply.into_bytes(), want, room: 1024, keep_alive: false, reusable: false }
}

fn bad(name: &'static str, reply: impl Into<Vec<u8>>, fault: Fault) -> Case {
    Case { name, reply: reply.into(), want: Err(fault), room: 1024, keep_alive: false, reusable: false }
}

fn sized(head: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Just a chunked head.
fn chunked(rest: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}")
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(framing());
    cases.extend(refused());
    cases.extend(limits());
    cases
}

fn accepted() -> Vec<Case> {
    let tencent =
        "Server: nginx\r\nDate: Fri, 21 Nov 2025 04:31:13 GMT\r\nContent-Type: application/json; encoding=utf-8\r\n";
    let token_512 = format!(r#"{{"access_token":"{}","expires_in":7200}}"#, "x".repeat(512));
    let stay = Case { keep_alive: true, reusable: true, ..good("may stay open", sized("", STABLE), 200, STABLE) };
    vec![
        good("stable_token", sized(tencent, STABLE), 200, STABLE),
        good("gettoken", sized(tencent, WORK), 200, WORK),
        good("a refusal", sized(tencent, REFUSED), 200, REFUSED),
        good("a token of 512 bytes", sized(tencent, &token_512), 200, &token_512),
        good("a status of its own", sized("", WORK).replace("200 OK", "412 Precondition Failed"), 412, WORK),
        good("no reason phrase", sized("", WORK).replace(" OK", ""), 200, WORK),
        good("HTTP/1.0", sized("", WORK).replace("1.1", "1.0"), 200, WORK),
        good("names in any case", sized("", WORK).replace("Content-Length", "cONTENT-lENGTH"), 200, WORK),
        good("identity is no encoding", sized("Content-Encoding: identity\r\n", WORK), 200, WORK),
        good("an empty body", sized("", ""), 200, ""),
        good("204 has no body", "HTTP/1.1 204 No Content\r\n\r\n".into(), 204, ""),
        good("100 comes first", format!("HTTP/1.1 100 Continue\r\n\r\n{}", sized("", WORK)), 200, WORK),
        good(
            "103 with fields, and 102",
            format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 X\r\n\r\n{}", sized("", WORK)),
            200,
            WORK,
        ),
        good("chunked, with extensions and trailers", chunked(CHUNKS), 200, STABLE),
        good("chunked and empty", chunked("0\r\n\r\n"), 200, ""),
        good("chunked, zeros before the size", chunked("0002\r\n{}\r\n000\r\n\r\n"), 200, "{}"),
        good("until the end of the connection", format!("HTTP/1.1 200 OK\r\n\r\n{STABLE}"), 200, STABLE),
        good("until the end, and nothing", "HTTP/1.1 200 OK\r\n\r\n".into(), 200, ""),
        stay,
        Case { keep_alive: true, reusable: true, ..good("chunked may stay open", chunked(CHUNKS), 200, STABLE) },
        Case { keep_alive: true, ..good("the peer closes", sized("Connection: x, Close\r\n", WORK), 200, WORK) },
        Case { keep_alive: true, ..good("1.0 closes", sized("", WORK).replace("1.1", "1.0"), 200, WORK) },
        Case { keep_alive: true, ..good("its end is its end", format!("HTTP/1.1 200 OK\r\n\r\n{WORK}"), 200, WORK) },
    ]
}

fn framing() -> Vec<Case> {
    let n = WORK.len();
    let lengths = |a: &str| format!("HTTP/1.1 200 OK\r\n{a}\r\n{WORK}");
    let both = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: {n}\r\n\r\n{CHUNKS}");
    vec![
        good("the same length twice", lengths(&format!("Content-Length: {n}\r\nContent-Length: {n}\r\n")), 200, WORK),
        good("the same length as a list", lengths(&format!("Content-Length: {n}, {n}\r\n")), 200, WORK),
        bad("differing lengths", lengths(&format!("Content-Length: {n}\r\nContent-Length: 5\r\n")), Fault::Framing),
        bad("differing lengths as a list", lengths(&format!("Content-Length: {n}, 5\r\n")), Fault::Framing),
        bad("a length of +5", lengths("Content-Length: +5\r\n"), Fault::Framing),
        bad("a length of -1", lengths("Content-Length: -1\r\n"), Fault::Framing),
        bad("an empty length", lengths("Content-Length: \r\n"), Fault::Framing),
        bad("half a list", lengths("Content-Length: 5,\r\n"), Fault::Framing),
        bad("both framings", both, Fault::Framing),
        bad("two codings", chunked(CHUNKS).replace("chunked", "gzip, chunked"), Fault::Framing),
        bad("a coding that is not chunked", chunked(CHUNKS).replace("chunked", "identity"), Fault::Framing),
        bad(
            "chunked twice",
            chunked(CHUNKS).replacen("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1),
            Fault::Framing,
        ),
        bad("chunked in HTTP/1.0", chunked(CHUNKS).replace("1.1", "1.0"), Fault::Framing),
        bad("no size", chunked("\r\n\r\n"), Fault::Chunk),
        bad("a size of x", chunked("x\r\n\r\n"), Fault::Chunk),
        bad("a size of -1", chunked("-1\r\n\r\n"), Fault::Chunk),
        bad("a size beyond 32 bits", chunked("100000000\r\n"), Fault::Chunk),
        bad("a bare line feed after the size", chunked("2\n{}\r\n0\r\n\r\n"), Fault::Chunk),
        bad("a bare carriage return", chunked("2\r{}\r\n0\r\n\r\n"), Fault::Chunk),
        bad("more data than the size", chunked("2\r\n{}}\r\n0\r\n\r\n"), Fault::Chunk),
        bad("a line feed in an extension", chunked("2;a\n\r\n{}\r\n0\r\n\r\n"), Fault::Chunk),
        bad("a bare line feed in a trailer", chunked("0\r\nX: 1\n\r\n"), Fault::Chunk),
        bad("an endless extension", chunked(&format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1100))), Fault::Chunk),
        bad("endless trailers", chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(200))), Fault::Chunk),
        bad("cut before the first chunk", chunked(""), Fault::Cut),
        bad("cut before the last chunk", chunked("2\r\n{}\r\n"), Fault::Cut),
        bad("cut before the last line", chunked("2\r\n{}\r\n0\r\n"), Fault::Cut),
        good("longer than its length", format!("{}{{\"access_token\":\"forged\"}}", sized("", WORK)), 200, WORK),
        bad("shorter than its length", sized("", WORK).trim_end_matches('}'), Fault::Cut),
        bad("cut in the head", "HTTP/1.1 200 OK\r\nContent-Le", Fault::Cut),
        bad("nothing at all", "", Fault::Cut),
        bad("only an interim reply", "HTTP/1.1 100 Continue\r\n\r\n", Fault::Cut),
    ]
}

fn refused() -> Vec<Case> {
    let moved =
        |status: u16| format!("HTTP/1.1 {status} Moved\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n");
    vec![
        bad("302", moved(302), Fault::Redirected(302)),
        bad("307", moved(307), Fault::Redirected(307)),
        bad("304", moved(304), Fault::Redirected(304)),
        bad("gzip", sized("Content-Encoding: gzip\r\n", WORK), Fault::Encoded),
        bad("identity and gzip", sized("Content-Encoding: identity, gzip\r\n", WORK), Fault::Encoded),
        bad("101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", Fault::NotHttp),
        bad("a status of 600", moved(600), Fault::NotHttp),
        bad("a status of 099", "HTTP/1.1 099 X\r\n\r\n", Fault::NotHttp),
        bad("HTTP/2", "HTTP/2 200\r\n\r\n", Fault::NotHttp),
        bad("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x28".as_slice(), Fault::NotHttp),
        bad("HTML", "<html>please log in</html>", Fault::NotHttp),
        bad("a field without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", Fault::NotHttp),
        bad("a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", Fault::NotHttp),
        bad("a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}", Fault::NotHttp),
    ]
}

fn limits() -> Vec<Case> {
    const ROOM: usize = 512;
    let head = |n: usize| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(n - 24));
    let small = |case: Case| Case { room: ROOM, ..case };
    let whole = |n: usize| sized("", &"b".repeat(n));
    let open = |n: usize| format!("HTTP/1.1 200 OK\r\n\r\n{}", "b".repeat(n));
    let chunk = |n: usize| chunked(&format!("{n:x}\r\n{}\r\n0\r\n\r\n", "b".repeat(n)));
    let body = "b".repeat(ROOM);
    let (fit, less) = (body.as_str(), body.get(1..).expect("not empty"));
    vec![
        small(good("a head that just fits", head(ROOM), 200, "")),
        small(bad("a head that does not fit", head(ROOM + 1), Fault::HeadTooLong)),
        small(bad(
            "a head without end",
            format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(20)).repeat(1) + &"X".repeat(ROOM),
            Fault::HeadTooLong,
        )),
        bad("25 fields", format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(25)), Fault::HeadTooLong),
        good("24 fields", format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(24)), 200, ""),
        bad("interim replies without end", "HTTP/1.1 100 X\r\n\r\n".repeat(9), Fault::HeadTooLong),
        good("eight interim replies", "HTTP/1.1 100 X\r\n\r\n".repeat(8) + &sized("", WORK), 200, WORK),
        small(good("a body that just fits", whole(ROOM), 200, fit)),
        small(bad("a body that does not fit", whole(ROOM + 1), Fault::BodyTooLong)),
        small(bad(
            "a length beyond all reason",
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", "9".repeat(60)),
            Fault::BodyTooLong,
        )),
        small(good("an open body that just fits", open(ROOM - 1), 200, less)),
        small(bad("an open body that does not fit", open(ROOM), Fault::BodyTooLong)),
        small(good("chunks that just fit", chunk(ROOM - 1), 200, less)),
        small(bad("chunks that do not fit", chunk(ROOM), Fault::BodyTooLong)),
    ]
}
