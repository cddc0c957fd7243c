//! Files on their way to the platform and back: whole, checked before, and begun anew where they can be.

use std::{
    cell::RefCell,
    io::{Cursor, Write as _},
};

use wxtoken::{
    BadMedia, CallError, CallReason, Client, Downloaded, Endpoint, GaveUp, MediaType, Metered, Once, Upload,
    core::Product,
};
use wxtoken_platform::{Fault, FaultScope};

use crate::{
    time::{CORP, Time},
    world::{ID, SECRET},
};

fn client(time: &Time, endpoint: &'static Endpoint, id: &str) -> Client {
    let builder = Client::builder(endpoint, id, SECRET).base(time.platform.http_url()).clock(time.clone());
    let client = builder.background(false).build().expect("fine");
    client.token().expect("a token");
    time.advance_s(60);
    client
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 % 251) as u8).collect()
}

#[test]
fn every_type_of_file_comes_back_byte_for_byte() {
    let time = Time::sleeping();
    let home = tempfile::TempDir::new().expect("a temporary directory");
    for (endpoint, id, media_type, name, len) in [
        (&Endpoint::STABLE_TOKEN, ID, MediaType::Image, "a.png", 300_000),
        (&Endpoint::STABLE_TOKEN, ID, MediaType::Voice, "a.mp3", 16_384),
        (&Endpoint::STABLE_TOKEN, ID, MediaType::Thumb, "a.jpg", 65_536),
        (&Endpoint::WORK, CORP, MediaType::Video, "照片 \"1\".MP4", 1),
        (&Endpoint::WORK, CORP, MediaType::File, "report", 100_001),
    ] {
        let client = client(&time, endpoint, id);
        let content = bytes(len.max(6));
        let path = home.path().join(name.replace('"', "'"));
        std::fs::write(&path, &content).expect("written");
        let seen = RefCell::new(Vec::new());
        let upload = Upload::from_path(media_type, &path).expect("a file").named(name);
        let upload = upload.on_progress(|done, all| seen.borrow_mut().push((done, all)));
        let uploaded = client.upload(upload).expect("accepted");
        let all = content.len() as u64;
        let seen = seen.into_inner();
        assert_eq!((seen.first(), seen.last()), (Some(&(0, all)), Some(&(all, all))), "{name}");
        let medium = time.platform.media().pop().expect("taken over");
        assert_eq!((medium.media_type, medium.bytes), (media_type.as_str(), all));
        assert_eq!(medium.filename, name.replace('"', "%22"));
        let mut last = None;
        let mut sink = Metered::new(Vec::new(), |done, total| last = Some((done, total)));
        assert_eq!(client.download(&uploaded.media_id, &mut sink).expect("there"), Downloaded::File, "{name}");
        assert_eq!(sink.into_inner(), content, "{name}");
        assert_eq!(last, Some((all, Some(all))));
    }
}

#[test]
fn what_the_platform_would_not_take_is_not_sent() {
    let time = Time::sleeping();
    for (endpoint, id, upload, why) in [
        (
            &Endpoint::TOKEN,
            ID,
            Upload::from_bytes(MediaType::File, "a.txt", b"123456"),
            BadMedia::Type(MediaType::File),
        ),
        (
            &Endpoint::WORK,
            CORP,
            Upload::from_bytes(MediaType::Thumb, "a.jpg", b"123456"),
            BadMedia::Type(MediaType::Thumb),
        ),
        (
            &Endpoint::WORK,
            CORP,
            Upload::from_bytes(MediaType::File, "a", b"12345"),
            BadMedia::TooSmall { len: 5, min: 6 },
        ),
        (
            &Endpoint::TOKEN,
            ID,
            Upload::from_bytes(MediaType::Image, "a.png", b""),
            BadMedia::TooSmall { len: 0, min: 1 },
        ),
        (
            &Endpoint::TOKEN,
            ID,
            Upload::from_reader(MediaType::Thumb, "a.jpg", 65_537, std::io::empty()),
            BadMedia::TooLarge { len: 65_537, max: 65_536 },
        ),
        (
            &Endpoint::WORK,
            CORP,
            Upload::from_bytes(MediaType::Voice, "a.mp3", b"123456"),
            BadMedia::Ending { allowed: &["amr"] },
        ),
    ] {
        let client = Client::builder(endpoint, id, SECRET).base(time.platform.http_url()).build().expect("fine");
        let error = client.upload(upload).expect_err("not taken");
        assert!(matches!(error, CallError::Caller(CallReason::BadMedia(w)) if w == why), "{error:?}");
    }
    let none = Upload::from_path(MediaType::Image, "/nowhere/a.png").expect_err("not there");
    assert!(matches!(none, CallError::Caller(CallReason::Source(std::io::ErrorKind::NotFound))), "{none}");
    Upload::from_path(MediaType::Image, std::env::temp_dir()).expect_err("a directory");
    assert_eq!(time.fetches() + time.platform.counters().account(CORP).fetched_in_all(), 0);
}

/// What this crate believes of the platform's limits is what the stand-in enforces, which was written apart.
#[test]
fn at_its_largest_a_file_is_taken() {
    let time = Time::sleeping();
    for (endpoint, id, product) in
        [(&Endpoint::STABLE_TOKEN, ID, Product::Platform), (&Endpoint::WORK, CORP, Product::Work)]
    {
        let client = client(&time, endpoint, id);
        for media_type in MediaType::ALL {
            let Some(limits) = media_type.limits(product) else { continue };
            for ending in if limits.endings.is_empty() { &["any"][..] } else { limits.endings } {
                for len in [limits.min, limits.max] {
                    let zeros = std::io::Read::take(std::io::repeat(0), len);
                    client.upload(Upload::from_reader(*media_type, format!("a.{ending}"), len, zeros)).expect("taken");
                }
            }
        }
    }
}

#[test]
fn a_file_is_sent_again_with_another_token_and_a_reader_is_not() {
    let time = Time::sleeping();
    let client = client(&time, &Endpoint::TOKEN, ID);
    let content = bytes(50_000);
    let upload = || Upload::from_bytes(MediaType::Image, "a.png", &content);
    let reader = || Upload::from_reader(MediaType::Image, "a.png", 50_000, Cursor::new(&content));
    let refuse = || {
        time.advance_s(60);
        let scope = FaultScope::next_call().on_path("/cgi-bin/media/");
        time.platform.fault(Fault::TokenRefused { errcode: None }, scope);
    };
    refuse();
    client.upload(upload()).expect("healed");
    assert_eq!(time.fetches(), 2);
    refuse();
    let error = client.upload(reader()).expect_err("spent");
    assert!(matches!(error.reason(), CallReason::GaveUp(g) if g.why == GaveUp::BodySpent), "{error}");
    client.upload(reader()).expect("another, with another token");
    assert_eq!(time.fetches(), 3);
    assert_eq!(time.platform.media().len(), 2);
}

#[test]
fn a_video_of_an_official_account_lies_elsewhere_and_media_live_three_days() {
    let time = Time::sleeping();
    let client = client(&time, &Endpoint::STABLE_TOKEN, ID);
    let uploaded = client.upload(Upload::from_bytes(MediaType::Video, "a.mp4", b"a video")).expect("taken");
    let mut sink = Once::new(Vec::new());
    let Downloaded::VideoAt(url) = client.download(&uploaded.media_id, &mut sink).expect("there") else {
        panic!("the platform gives an address")
    };
    assert!(url.starts_with("http://127.0.0.1") && url.ends_with(&uploaded.media_id), "{url}");
    assert!(sink.into_inner().is_empty());
    time.advance_s(3 * 86_400);
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(b"of before").expect("written");
    let error = client.download(&uploaded.media_id, &mut file).expect_err("too old");
    assert_eq!(error.errcode(), Some(40_007));
    assert!(error.to_string().contains("three days"), "{error}");
    assert_eq!(file.metadata().expect("there").len(), 9, "untouched");
}

#[test]
fn what_is_not_a_file_is_not_taken_for_one() {
    let time = Time::sleeping();
    let client = client(&time, &Endpoint::WORK, CORP);
    for fault in
        [Fault::Garbage, Fault::Html, Fault::Body { bytes: b"not found".to_vec() }, Fault::Body { bytes: vec![] }]
    {
        time.platform.fault(fault.clone(), FaultScope::next(3).on_path("/cgi-bin/media/get"));
        let mut got = b"of before".to_vec();
        client.download("an-id", &mut got).expect_err("no file");
        assert_eq!(got, b"of before", "{fault:?}");
    }
}

#[test]
fn a_cut_download_is_begun_anew_and_says_how_far_it_got_when_that_does_not_help() {
    let time = Time::sleeping();
    let client = client(&time, &Endpoint::WORK, CORP);
    let content = bytes(200_000);
    let uploaded = client.upload(Upload::from_bytes(MediaType::File, "a.bin", &content)).expect("taken");
    let cut = |times| {
        time.platform.fault(Fault::Cut { after: 70_000 }, FaultScope::next(times).on_path("/cgi-bin/media/get"));
    };
    cut(2);
    let mut got = Vec::new();
    client.download(&uploaded.media_id, &mut got).expect("at the third try");
    assert_eq!(got, content);
    cut(3);
    let error = client.download(&uploaded.media_id, &mut got).expect_err("cut each time");
    assert!(matches!(error.reason(), CallReason::GaveUp(g) if g.received == 70_000), "{error:?}");
    assert!(error.to_string().contains("70000 bytes"), "{error}");
}
