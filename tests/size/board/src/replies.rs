//! What may a server answer? The ordinary reply, and those that make the code go deep.

/// A name for the table, and the bytes.
pub(crate) type Canned = (&'static str, &'static [u8]);

macro_rules! token {
    (136) => {
        concat!(token!(64), token!(64), "01234567")
    };
    (512) => {
        concat!(token!(64), token!(64), token!(64), token!(64), token!(64), token!(64), token!(64), token!(64))
    };
    (64) => {
        "0123456789abcdefghijklmnopqrstuvwxyz-_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    };
}

/// The body the platform usually sends.
pub(crate) const BODY: &str = concat!(r#"{"access_token":""#, token!(136), r#"","expires_in":7200}"#);

const _: () = assert!(BODY.len() == 173, "the head below says so");

/// The reply around it, with the head the platform usually sends.
pub(crate) const USUAL: Canned = (
    "usual",
    concat!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json; encoding=utf-8\r\n",
        "Date: Sat, 21 Nov 2026 07:00:00 GMT\r\nContent-Length: 173\r\n\r\n",
        r#"{"access_token":""#,
        token!(136),
        r#"","expires_in":7200}"#
    )
    .as_bytes(),
);

/// The usual one first.
pub(crate) const ALL: &[Canned] = &[
    USUAL,
    (
        "longest-token",
        concat!("HTTP/1.1 200 OK\r\n\r\n", r#"{"access_token":""#, token!(512), r#"","expires_in":7200}"#).as_bytes(),
    ),
    (
        "chunked",
        concat!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9;a=b\r\n{\"access_\r\n22\r\n",
            "token\":\"t0ken\",\"expires_in\":7200  }\r\n0\r\nTrailer: yes\r\n\r\n"
        )
        .as_bytes(),
    ),
    (
        "escapes",
        concat!(
            "HTTP/1.1 200 OK\r\n\r\n",
            r#"{"access_token":"\u0041\u0042\/token","expires_in":"7200","errcode":"0","errmsg":"\ud83d\ude00"}"#
        )
        .as_bytes(),
    ),
    (
        "address-refused",
        concat!(
            "HTTP/1.1 200 OK\r\n\r\n",
            r#"{"errcode":40164,"errmsg":"invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, "#,
            r#"not in whitelist rid: 67890abc-12345678-9abcdef0"}"#
        )
        .as_bytes(),
    ),
    (
        "too-often",
        concat!("HTTP/1.1 200 OK\r\n\r\n", r#"{"errcode":45009,"errmsg":"reach max api daily quota limit rid: 67890abc"}"#)
            .as_bytes(),
    ),
    // What skips an unknown value recurses, as deep as the peer is allowed to nest.
    (
        "nested",
        concat!(
            "HTTP/1.1 200 OK\r\n\r\n",
            r#"{"a":[[[[[[[]]]]]]],"b":{"c":{"d":{"e":{"f":{"g":{"h":{}}}}}}},"access_token":"t0ken","expires_in":7200}"#
        )
        .as_bytes(),
    ),
    (
        "many-fields",
        concat!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
            "a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 6\r\ng: 7\r\nh: 8\r\ni: 9\r\nj: 10\r\nk: 11\r\nl: 12\r\n",
            "m: 13\r\nn: 14\r\no: 15\r\np: 16\r\nq: 17\r\nr: 18\r\ns: 19\r\nt: 20\r\nu: 21\r\nv: 22\r\nw: 23\r\n",
            "Content-Length: 45\r\n\r\n",
            r#"{"access_token":"t0ken000","expires_in":7200}"#
        )
        .as_bytes(),
    ),
    ("page", b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html><body>502</body></html>"),
    ("redirected", b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"),
    ("not-http", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("cut", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_tok"),
    ("closed-at-once", b""),
];
