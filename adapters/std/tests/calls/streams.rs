//! Bodies that are read and replies that are written piece by piece: begun anew for each attempt, and never wrong.

use std::{
    io::{self, Cursor, Read, Write},
    time::Duration,
};

use wxtoken::{BodySource, Call, CallError, CallReason, CallResponse, GaveUp, Once, ReplySink, TransportError};

use crate::{
    script::{Reply, Script, errcode, ok, reply, tokens},
    world::{World, token},
};

const LIMIT: Duration = Duration::from_secs(120);

fn upload(len: usize) -> Call<'static> {
    Call::stream("/cgi-bin/media/upload", "image/png", len as u64).expect("fine")
}

fn download() -> Call<'static> {
    Call::get("/cgi-bin/media/get").expect("fine").with_any_reply()
}

/// Takes the whole body and answers by the token: the first is refused.
fn refuses_the_first(body: &'static [u8]) -> Script {
    Script::reading(move |_, with, given| {
        let mut all = Vec::new();
        given.read_to_end(&mut all).map_err(|_| TransportError::Broken)?;
        assert_eq!(all, body, "the whole body, whichever attempt it is");
        if with == token(1) { errcode(40_001) } else { ok() }
    })
}

#[test]
fn a_body_is_sent_whole_with_each_attempt() {
    let world = World::sleeping();
    let script = refuses_the_first(b"a photo");
    script.primed(&world).call_from(&upload(7), LIMIT, &mut Cursor::new(b"a photo")).expect("healed");
    assert_eq!(script.sent(), tokens(&[1, 2]));
    // As much as was announced, though there is more.
    let script = refuses_the_first(b"a photo");
    script.primed(&world).call_from(&upload(7), LIMIT, &mut Cursor::new(b"a photograph")).expect("healed");
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(b"a photo").expect("written");
    script.primed(&world).call_from(&upload(7), LIMIT, &mut file).expect("from its beginning");
}

#[test]
fn a_body_that_cannot_begin_anew_says_so_and_the_token_is_replaced() {
    let world = World::sleeping();
    for call in [upload(7).sent_once(), upload(7)] {
        let script = refuses_the_first(b"a photo");
        let client = script.primed(&world);
        let send = || client.call_from(&call, LIMIT, &mut Once::new(&b"a photo"[..]));
        let error = send().expect_err("spent");
        let CallReason::GaveUp(given_up) = error.reason() else { panic!("{error:?}") };
        assert_eq!((given_up.why, script.sent()), (GaveUp::BodySpent, tokens(&[1])));
        assert!(!error.maybe_executed(), "{error}");
        send().expect("made anew, with another token");
        assert_eq!((script.sent(), script.fetches()), (tokens(&[1, 2]), 2));
    }
}

#[test]
fn nothing_is_lost_while_nothing_was_sent() {
    let world = World::sleeping();
    let script = Script::reading(|n, _, body| {
        if n < 3 {
            return Err(TransportError::ConnectionRefused);
        }
        io::copy(body, &mut io::sink()).map_err(|_| TransportError::Broken)?;
        ok()
    });
    let mut once = Once::new(&b"a photo"[..]);
    script.primed(&world).call_from(&upload(7).sent_once(), LIMIT, &mut once).expect("at the third try");
}

#[test]
fn a_body_that_broke_off_was_not_executed() {
    let world = World::sleeping();
    let script = Script::reading(|n, _, body| {
        if n == 1 {
            body.read_exact(&mut [0; 3]).expect("three bytes");
            return Err(TransportError::Broken);
        }
        io::copy(body, &mut io::sink()).map_err(|_| TransportError::Broken)?;
        if n == 2 { Err(TransportError::Broken) } else { ok() }
    });
    let error = script.primed(&world).call_from(&upload(7), LIMIT, &mut Cursor::new(b"a photo")).expect_err("lost");
    let CallReason::GaveUp(given_up) = error.reason() else { panic!("{error:?}") };
    // The first is made again although it is no idempotent call; the second had gone out whole.
    assert_eq!((script.sent().len(), given_up.why, given_up.sent), (2, GaveUp::Unanswered, 7));
    assert!(matches!(error, CallError::Unanswered(_)), "{error}");
}

#[test]
fn a_source_that_fails_or_ends_early_ends_the_call() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    impl BodySource for Broken {
        fn begin(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let world = World::sleeping();
    let mut short = Cursor::new(b"a phot");
    let sources: [(&mut dyn BodySource, io::ErrorKind); 2] =
        [(&mut Broken, io::ErrorKind::PermissionDenied), (&mut short, io::ErrorKind::UnexpectedEof)];
    for (source, kind) in sources {
        let script = refuses_the_first(b"a photo");
        let error = script.primed(&world).call_from(&upload(7), LIMIT, source).expect_err("no body");
        assert!(matches!(error, CallError::Caller(CallReason::Source(k)) if k == kind), "{error}");
        assert_eq!(script.sent().len(), 1);
    }
}

fn file(len: usize) -> Vec<u8> {
    (0..len).map(|n| b'a' + (n % 23) as u8).collect()
}

/// A file as the platform sends one.
fn attached(bytes: Vec<u8>) -> CallResponse {
    CallResponse::new(200, Cursor::new(bytes)).with_header("Content-disposition", "attachment; filename=\"x.json\"")
}

fn fetch_into(
    sink: &mut dyn ReplySink,
    answer: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> Result<(), CallError> {
    let script = Script::new(move |n, with| if with == token(1) { errcode(40_001) } else { answer(n) });
    script.primed(&World::sleeping()).call_with(&download(), LIMIT, &mut io::empty(), sink).map(drop)
}

#[test]
fn a_file_of_any_kind_arrives_whole_and_a_refusal_never_does() {
    for len in [0, 1, 16_384, 16_385, 200_000] {
        let mut got = b"of before".to_vec();
        fetch_into(&mut got, move |_| Ok(CallResponse::new(200, Cursor::new(file(len))))).expect("a file");
        assert_eq!(got, file(len), "{len}");
    }
    // JSON that is a file, and says what a refusal would.
    let json = br#"{"errcode":40003}"#.to_vec();
    let (mut got, sent) = (Vec::new(), json.clone());
    fetch_into(&mut got, move |_| Ok(attached(sent.clone()))).expect("a file");
    assert_eq!(got, json);
    let mut got = b"of before".to_vec();
    let error = fetch_into(&mut got, |_| errcode(40_007)).expect_err("refused");
    assert_eq!((error.errcode(), got.as_slice()), (Some(40_007), &b"of before"[..]));
    // JSON that is no refusal: the address of a video.
    let mut got = Vec::new();
    fetch_into(&mut got, |_| reply(r#"{"video_url":"https://v"}"#)).expect("an answer");
    assert_eq!(got, br#"{"video_url":"https://v"}"#);
}

#[test]
fn a_page_of_a_captive_portal_is_no_file() {
    let mut got = b"of before".to_vec();
    let page = |_| Ok(CallResponse::new(200, &b"<html>log in"[..]).with_header("content-type", "Text/HTML; charset=x"));
    let error = fetch_into(&mut got, page).expect_err("no file");
    assert!(matches!(error, CallError::Unavailable(_)), "{error}");
    let error = fetch_into(&mut got, |_| Ok(CallResponse::new(502, &b"bad gateway"[..]))).expect_err("no file");
    assert!(error.to_string().contains("502"), "{error}");
    assert_eq!(got, b"of before");
}

#[test]
fn a_reply_that_broke_off_is_begun_anew_and_never_taken_for_whole() {
    let cut = |n| {
        let bytes = if n < 3 { file(70_000) } else { file(100_000) };
        Ok(CallResponse::new(200, Cursor::new(bytes)).with_header("Content-Length", "100000"))
    };
    let mut got = Vec::new();
    fetch_into(&mut got, cut).expect("at the second try");
    assert_eq!(got, file(100_000));
    let error = fetch_into(&mut Once::new(&mut got), cut).expect_err("cannot begin anew");
    assert!(matches!(error, CallError::Untaken(CallReason::Sink(io::ErrorKind::NotSeekable))), "{error}");
}

#[test]
fn a_sink_that_is_full_ends_the_call() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl ReplySink for Full {
        fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
            assert_eq!(len, None);
            Ok(())
        }
    }
    let error = fetch_into(&mut Full, |_| Ok(CallResponse::new(200, &b"x"[..]))).expect_err("full");
    assert!(matches!(error, CallError::Untaken(CallReason::Sink(io::ErrorKind::StorageFull))), "{error}");
}
