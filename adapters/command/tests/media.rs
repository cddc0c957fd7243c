//! Files through the command: byte for byte, in constant memory, with a bar for people, and whole or not at all.

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use common::{CORP, Files, ID, Ran, SECRET, command, platform, run};
use wxtoken_platform::{Fault, FaultScope, Running, TimeBase};

const TEN_MIB: usize = 10 << 20;

/// No two pages alike.
fn photo(len: usize) -> Vec<u8> {
    (0..len as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// A platform, files, and the account's options with a token in the cache: what is tried is not the fetch.
struct Scene {
    platform: Running,
    files: Files,
    account: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let (platform, files) = (platform().start().unwrap(), Files::new());
        let (base, cache) = (platform.http_url(), files.path("cache"));
        let account = ["--id", ID, "--base", &base, "--cache", &cache].map(str::to_owned).to_vec();
        let scene = Self { platform, files, account };
        assert_eq!(scene.run(&["get"]).code, Some(0));
        scene
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        args.iter().copied().chain(self.account.iter().map(String::as_str)).collect()
    }

    fn run(&self, args: &[&str]) -> Ran {
        run(&self.args(args))
    }

    fn spawn(&self, args: &[&str]) -> Child {
        command(&self.args(args)).env("WXTOKEN_SECRET", SECRET).spawn().unwrap()
    }

    fn photo(&self, len: usize) -> (String, Vec<u8>) {
        let (path, bytes) = (self.files.path("photo.png"), photo(len));
        fs::write(&path, &bytes).unwrap();
        (path, bytes)
    }

    fn upload(&self, len: usize) -> (String, Vec<u8>) {
        let (path, bytes) = self.photo(len);
        let ran = self.run(&["upload", &path, "--type", "image"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "a pipe gets no bar");
        (ran.stdout.trim_end().to_owned(), bytes)
    }

    /// What lies in the directory but the files that belong there.
    fn strays(&self) -> Vec<String> {
        let all = fs::read_dir(self.files.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
        let known = ["cache", "cache.lock", "photo.png"];
        all.map(|name| name.into_string().unwrap()).filter(|name| !known.contains(&name.as_str())).collect()
    }
}

#[test]
fn a_photo_goes_up_and_comes_down_byte_for_byte() {
    let scene = Scene::new();
    let (media_id, bytes) = scene.upload(TEN_MIB);
    let medium = scene.platform.media().pop().unwrap();
    assert_eq!((medium.bytes, medium.filename.as_str(), medium.media_type), (TEN_MIB as u64, "photo.png", "image"));
    assert_eq!(medium.content_type.as_deref(), Some("image/png"));

    let place = scene.files.write("down.png", "of before");
    let ran = scene.run(&["download", &media_id, "-o", &place]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    assert!(fs::read(&place).unwrap() == bytes, "the same bytes");
    assert_eq!(scene.strays(), ["down.png"]);
    let piped =
        command(&scene.args(&["download", &media_id, "-o", "-"])).env("WXTOKEN_SECRET", SECRET).output().unwrap();
    assert!(piped.status.success() && piped.stdout == bytes);
    assert_eq!(scene.platform.counters().account(ID).fetched_in_all(), 1, "the cache served");
}

#[test]
fn a_video_of_an_official_account_comes_from_where_the_platform_says() {
    let scene = Scene::new();
    let video = scene.files.path("photo.png");
    fs::write(&video, photo(100_000)).unwrap();
    let ran = scene.run(&["upload", &video, "--type", "video", "--name", "clip.mp4"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let place = scene.files.path("clip.mp4");
    let ran = scene.run(&["download", ran.stdout.trim_end(), "-o", &place]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(fs::read(&place).unwrap() == photo(100_000));
    let broken = Fault::Cut { after: 50_000 };
    scene.platform.fault(broken, FaultScope::every_call().on_path("/video/"));
    let media_id = &scene.platform.media()[0].media_id;
    let ran = scene.run(&["download", media_id, "-o", &scene.files.path("half.mp4")]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("(50000 of 100000 bytes)"), "{ran:?}");
    assert_eq!(scene.strays(), ["clip.mp4"]);
}

#[test]
fn what_would_not_be_taken_is_not_sent() {
    let scene = Scene::new();
    let (photo, _) = scene.photo(TEN_MIB + 1);
    let empty = scene.files.write("empty.png", "");
    let large = scene.run(&["upload", &photo, "--type", "image"]);
    assert_eq!(large.code, Some(3), "{large:?}");
    assert!(large.stderr.contains("10485761 bytes, it may have 10485760"), "{large:?}");
    for (args, words) in [
        (&["upload", &empty, "--type", "image"][..], "it must have 1"),
        (&["upload", &empty, "--type", "voice"], "ends in .amr, .mp3"),
        (&["upload", &photo, "--type", "file"], "only WeCom"),
        (&["upload", &photo, "--type", "thumb", "--kind", "work"], "WeCom has no thumb"),
        (&["upload", &photo, "--type", "video", "--kind", "mini-program"], "images only"),
        (&["upload", "/nowhere/x.png", "--type", "image"], "/nowhere/x.png cannot be read"),
        (&["upload", &empty, "--type", "image", "--lang", "zh"], "至少须有 1 字节"),
    ] {
        let ran = scene.run(args);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
    assert_eq!(scene.platform.counters().account(ID).calls_accepted(), 0);
}

#[test]
fn a_cut_says_how_far_it_got_and_leaves_no_half_file() {
    let scene = Scene::new();
    let (media_id, _) = scene.upload(TEN_MIB);
    scene.platform.fault(Fault::Cut { after: 4_000_000 }, FaultScope::every_call().on_path("/cgi-bin/media/get"));
    // No second attempt begins within this time.
    let limit = ["--limit", "900ms"];
    let place = scene.files.write("down.png", "of before");
    let ran = scene.run(&[&["download", &media_id, "-o", &place][..], &limit].concat());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("it got to 3.81 MiB of 10.00 MiB (4000000 of 10485760 bytes)"), "{ran:?}");
    assert_eq!(fs::read(&place).unwrap(), b"of before", "untouched");
    assert_eq!(scene.strays(), ["down.png"]);
    let gone = scene.run(&["download", "no-such-id", "-o", &place]);
    assert_eq!(gone.code, Some(3), "{gone:?}");
    let (code, nowhere) = (Some(1), "/nowhere/x");
    let ran = scene.run(&["download", &media_id, "-o", nowhere]);
    assert!(ran.code == code && ran.stderr.contains(nowhere), "{ran:?}");

    let cutter = cutter(5_000_000);
    let (photo, _) = scene.photo(TEN_MIB);
    let ran = scene.run(&[&["upload", &photo, "--type", "image", "--api-base", &cutter][..], &limit].concat());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("it got to") && ran.stderr.contains("of 10485760 bytes)"), "{ran:?}");
}

/// A host that reads so many bytes and then breaks the connection.
fn cutter(bytes: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        std::io::copy(&mut stream.take(bytes), &mut std::io::sink()).unwrap();
    });
    url
}

#[test]
fn a_cut_download_is_begun_anew_by_itself() {
    let scene = Scene::new();
    let (media_id, bytes) = scene.upload(300_000);
    scene.platform.fault(Fault::ResetMidBody { after: 200_000 }, FaultScope::next(1).on_path("/cgi-bin/media/get"));
    let place = scene.files.path("down.png");
    let ran = scene.run(&["download", &media_id, "-o", &place]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(fs::read(&place).unwrap() == bytes);
}

#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;

    /// The peak of a process's memory in bytes, at a moment at which it has done its work and has not ended.
    fn peak(child: &mut Child, is_done: impl Fn() -> bool) -> u64 {
        while !is_done() {
            assert!(child.try_wait().unwrap().is_none(), "it is held up until it was looked at");
            thread::yield_now();
        }
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Uploads a file of this length and downloads it; the peaks of both.
    fn peaks(scene: &Scene, len: usize) -> (u64, u64) {
        let (path, bytes) = scene.photo(len);
        // The platform's time stands still: the reply waits until it is moved.
        let held = Fault::Latency { ms: 1_000, by: TimeBase::Virtual };
        scene.platform.fault(held, FaultScope::next_call().on_path("/cgi-bin/media/upload"));
        let before = scene.platform.media().len();
        let mut child = scene.spawn(&["upload", &path, "--type", "image"]);
        let up = peak(&mut child, || scene.platform.media().len() > before);
        scene.platform.advance(Duration::from_secs(1));
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        // The last hundredth comes after a pause.
        let paused = Fault::Trickle { bytes: len / 100 * 99, every_ms: 2_000 };
        scene.platform.fault(paused, FaultScope::next_call().on_path("/cgi-bin/media/get"));
        let place = scene.files.path("down.png");
        let mut child = scene.spawn(&["download", ran.stdout.trim_end(), "-o", &place]);
        let nearly = || {
            let part = scene.strays().into_iter().find(|name| name.ends_with(".part"));
            // The head of the reply is in the first piece, too.
            part.is_some_and(|name| {
                fs::metadata(scene.files.path(&name)).is_ok_and(|about| about.len() as usize > len / 100 * 90)
            })
        };
        let down = peak(&mut child, nearly);
        assert!(child.wait().unwrap().success() && fs::read(&place).unwrap() == bytes);
        fs::remove_file(&place).unwrap();
        (up, down)
    }

    #[test]
    fn memory_stays_the_same_whatever_the_size() {
        let scene = Scene::new();
        scene.platform.set_speed(0.0);
        let small = peaks(&scene, 20_000);
        let large = peaks(&scene, TEN_MIB);
        println!("peak RSS, bytes: upload {} (20 kB: {}), download {} (20 kB: {})", large.0, small.0, large.1, small.1);
        for (small, large) in [(small.0, large.0), (small.1, large.1)] {
            assert!(large < small + 1_000_000, "{small} {large}");
            // What a build for debugging has of its own is not the command's.
            assert!(cfg!(debug_assertions) || large < 12_000_000, "{large}");
        }
    }

    /// What a terminal of 80 columns is shown on standard error.
    fn on_a_terminal(scene: &Scene, args: &[&str]) -> (Option<i32>, String) {
        use rustix::{pty, termios};
        let flags = pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY;
        let master = pty::openpt(flags).unwrap();
        pty::grantpt(&master).unwrap();
        pty::unlockpt(&master).unwrap();
        let slave = pty::ioctl_tiocgptpeer(&master, flags).unwrap();
        let size = termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        termios::tcsetwinsize(&slave, size).unwrap();
        let mut command = command(&scene.args(args));
        command.env("WXTOKEN_SECRET", SECRET).env("TERM", "xterm").stderr(Stdio::from(slave));
        let mut child = command.spawn().unwrap();
        // Ours of the other side: without it the end of the child is the end of what there is to read.
        drop(command);
        let (mut master, mut shown) = (fs::File::from(master), Vec::new());
        let mut room = [0; 4_096];
        // An error is how the other side's end looks.
        while let Ok(n @ 1..) = master.read(&mut room) {
            shown.extend_from_slice(&room[..n]);
        }
        (child.wait().unwrap().code(), String::from_utf8(shown).unwrap())
    }

    #[test]
    fn a_terminal_gets_a_bar() {
        let scene = Scene::new();
        let (path, _) = scene.photo(TEN_MIB);
        let (code, shown) = on_a_terminal(&scene, &["upload", &path, "--type", "image"]);
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("#####") && shown.contains("10.00 MiB/10.00 MiB"), "{shown:?}");
        assert!(shown.ends_with("\r\n"), "the next line stands alone: {shown:?}");
        let media_id = &scene.platform.media()[0].media_id;
        let place = scene.files.path("down.png");
        let (code, shown) = on_a_terminal(&scene, &["download", media_id, "-o", &place]);
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("#####") && shown.contains("10.00 MiB/10.00 MiB"), "{shown:?}");
        scene.platform.fault(Fault::Cut { after: 5 << 20 }, FaultScope::every_call().on_path("/cgi-bin/media/get"));
        let (code, shown) = on_a_terminal(&scene, &["download", media_id, "-o", &place, "--limit", "900ms"]);
        assert_eq!(code, Some(5), "{shown}");
        assert!(shown.contains("5.00 MiB/10.00 MiB") && shown.contains("\r\nwxtoken: "), "{shown:?}");
    }

    #[test]
    fn an_interrupted_download_leaves_no_half_file() {
        use rustix::process::{Pid, Signal, kill_process};
        let scene = Scene::new();
        let (media_id, _) = scene.upload(300_000);
        let trickle = Fault::Trickle { bytes: 1_000, every_ms: 100 };
        scene.platform.fault(trickle, FaultScope::every_call().on_path("/cgi-bin/media/get"));
        let place = scene.files.path("down.png");
        let mut child = scene.spawn(&["download", &media_id, "-o", &place]);
        let begun =
            || scene.strays().iter().any(|name| fs::metadata(scene.files.path(name)).is_ok_and(|m| m.len() > 0));
        while !begun() {
            assert!(child.try_wait().unwrap().is_none(), "it goes on for half a minute");
            thread::yield_now();
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(scene.strays(), Vec::<String>::new());
    }
}

#[test]
fn any_file_of_wecom_and_standard_output_once() {
    let scene = Scene::new();
    let (base, cache) = (scene.platform.http_url(), scene.files.path("work.cache"));
    let account = ["--kind", "work", "--id", CORP, "--base", &base, "--cache", &cache];
    let json = scene.files.write("report.json", r#"{"errcode":40003,"errmsg":"a file that looks like a refusal"}"#);
    let ran = run(&[&["upload", &json, "--type", "file"][..], &account].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = run(&[&["download", ran.stdout.trim_end(), "-o", "-"][..], &account].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout, fs::read_to_string(&json).unwrap());
    let mut full = fs::File::options().write(true).open("/dev/full").unwrap();
    if full.write_all(b"x").is_err() {
        let media_id = &scene.platform.media()[0].media_id;
        let ran = run(&[&["download", media_id, "-o", "/dev/full"][..], &account].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("could not be written"), "{ran:?}");
    }
}
