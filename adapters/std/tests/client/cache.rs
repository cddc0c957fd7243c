//! A restart costs no fetch, processes share one, and no file, however broken, costs a token.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::Duration,
};

use tempfile::TempDir;
use wxtoken::{Builder, Client, Clock, Endpoint, Instant, Source};

use crate::world::{Gate, Script, World, builder, grant, on, refuse, token};

struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("token.json")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("token.json{suffix}"))
    }

    fn client(&self, world: &World, script: &Script) -> Client {
        self.set(builder(world, script))
    }

    fn set(&self, builder: Builder) -> Client {
        builder.cache(self.file()).build().expect("fine")
    }
}

fn text(client: &Client) -> String {
    client.token().expect("a token").as_str().to_owned()
}

#[test]
fn a_restart_costs_no_fetch_and_no_second_of_life() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let before = home.client(&world, &script);
    assert_eq!(text(&before), token(1));
    assert_eq!(before.status().source, Some(Source::Fetched));
    drop(before);
    world.advance_s(1000);
    world.reboot();
    let after = home.client(&world, &script);
    let held = after.token().expect("stored");
    assert_eq!((held.as_str(), held.generation()), (token(1).as_str(), 1));
    assert_eq!(after.remaining(&held), Duration::from_secs(6198), "museum 14");
    let status = after.status();
    assert_eq!((status.source, status.ledger.fetches), (Some(Source::Cached), 1));
    assert_eq!(script.exchanges(), 1);
    // It is refreshed when it would have been.
    world.advance_s(6198 - 1790);
    assert_eq!(text(&after), token(2));
}

#[test]
fn restarts_do_not_multiply_the_day_s_budget() {
    let (home, world) = (Home::new(), World::still());
    let script = Script::new(|_| refuse(-1, "system error"));
    for _ in 0..20 {
        let _ = home.client(&world, &script).token_within(Duration::from_millis(1));
    }
    let client = home.client(&world, &script);
    let _ = client.token_within(Duration::from_millis(1));
    assert_eq!(client.status().ledger.fetches, 21);
    // The next day begins at midnight in Beijing; the story begins at noon.
    world.advance_s(12 * 3600 + 1);
    let client = home.client(&world, &script);
    let _ = client.token_within(Duration::from_millis(1));
    assert_eq!(client.status().ledger.fetches, 1);
    // Nor does a client that lives through midnight take yesterday's count from the file.
    let _ = client.token_within(Duration::from_millis(1));
    world.advance_s(24 * 3600);
    let _ = client.token_within(Duration::from_millis(1));
    assert_eq!(client.status().ledger.fetches, 1);
}

#[test]
fn two_clients_of_one_file_fetch_once() {
    let (home, gate) = (Home::new(), Gate::default());
    let door = gate.clone();
    let script = Script::new(move |n| {
        door.pass();
        grant(n)
    });
    // On the system's clock: they wait for the lock for real, some milliseconds.
    let clients = [(); 4]
        .map(|()| home.set(Client::builder(&Endpoint::TOKEN, "wx1", "s").transport(script.clone()).background(false)));
    thread::scope(|scope| {
        let callers: Vec<_> = clients.iter().map(|client| scope.spawn(|| text(client))).collect();
        gate.await_arrivals(1);
        gate.open();
        for caller in callers {
            assert_eq!(caller.join().expect("no panic"), token(1));
        }
    });
    assert_eq!(script.exchanges(), 1);
}

#[test]
fn what_one_process_fetched_serves_the_other_when_its_turn_comes() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let (a, b) = (home.client(&world, &script), home.client(&world, &script));
    assert_eq!((text(&a), text(&b)), (token(1), token(1)));
    world.advance_s(crate::world::REFRESH_AFTER_S);
    assert_eq!((text(&a), text(&b)), (token(2), token(2)));
    // A report in one of them, too.
    world.advance_s(600);
    let seen = (a.token().expect("held"), b.token().expect("held"));
    a.report_refused(&seen.0);
    assert_eq!(text(&a), token(3));
    b.report_refused(&seen.1);
    assert_eq!(text(&b), token(3));
    assert_eq!(script.exchanges(), 3);
}

#[test]
fn a_refused_token_is_not_taken_from_the_file_again() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let client = home.client(&world, &script);
    let seen = client.token().expect("fetched");
    world.advance_s(600);
    client.report_refused(&seen);
    assert_eq!(text(&client), token(2));
}

#[test]
fn nor_is_an_older_one_when_the_newer_could_not_be_written() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let client = home.client(&world, &script);
    let first = client.token().expect("fetched and written");
    fs::create_dir(home.beside(".tmp")).expect("something in the way of the temporary file");
    world.advance_s(600);
    client.report_refused(&first);
    let second = client.token().expect("fetched and not written");
    world.advance_s(600);
    client.report_refused(&second);
    assert_eq!(text(&client), token(3));
}

#[test]
fn a_lock_that_is_stuck_delays_and_does_not_prevent() {
    let (home, world, script) = (Home::new(), World::sleeping(), Script::tokens());
    let stuck = File::create(home.beside(".lock")).expect("created");
    stuck.lock().expect("locked");
    assert_eq!(text(&home.client(&world, &script)), token(1));
    assert!(!home.file().exists(), "nothing is written without the lock");
}

#[test]
fn every_torn_file_is_ignored() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.client(&world, &script));
    let whole = fs::read(home.file()).expect("written");
    // The newline at the end is not part of it.
    let mut fetched = 1;
    for cut in (0..whole.len() - 1).step_by(7) {
        fs::write(home.file(), &whole[..cut]).expect("written");
        fetched += 1;
        assert_eq!(text(&home.client(&world, &script)), token(fetched), "cut at {cut}");
    }
    for at in (0..whole.len() - 1).step_by(5) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(home.file(), &flipped).expect("written");
        fetched += 1;
        assert_eq!(text(&home.client(&world, &script)), token(fetched), "flipped at {at}");
    }
    for junk in [&b"null"[..], b"[]", b"{}", b"\0\0\0\0", &[b'['; 100_000]] {
        fs::write(home.file(), junk).expect("written");
        fetched += 1;
        assert_eq!(text(&home.client(&world, &script)), token(fetched));
    }
    assert_eq!(script.exchanges(), fetched);
    // And the whole one is taken, so that all of this shows something.
    fs::write(home.file(), &whole).expect("written");
    assert_eq!(text(&home.client(&world, &script)), token(1));
}

#[test]
fn museum_25_another_account_s_file_is_ignored() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let of = |id: &str, secret: &str| {
        let builder = Client::builder(&Endpoint::WORK, id, secret).clock(world.clone());
        text(&home.set(builder.transport(script.clone()).background(false)))
    };
    assert_eq!(of("ww1", "secret of app 1"), token(1));
    assert_eq!(of("ww1", "secret of app 2"), token(2));
    assert_eq!(of("ww1", "secret of app 2"), token(2));
}

#[test]
fn a_file_from_the_future_is_ignored() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.client(&world, &script));
    world.set_unix_back_s(3600);
    assert_eq!(text(&home.client(&world, &script)), token(2), "museum 16");
}

#[test]
fn one_replaced_by_another_process_at_that_moment_is_not_from_the_future() {
    let (home, later, script) = (Home::new(), World::still(), Script::tokens());
    later.advance_s(100);
    text(&home.client(&later, &script));
    let newer = fs::read(home.file()).expect("written");
    fs::remove_file(home.file()).expect("there");
    let world = World::still();
    text(&home.client(&world, &script));
    // While this one looks at its clocks it is stopped for 100 s, and the other process writes.
    let clock = Overtaken { world, file: home.file(), newer: Mutex::new(Some(newer)) };
    let builder = Client::builder(&Endpoint::TOKEN, crate::world::ID, crate::world::SECRET);
    let client = home.set(builder.clock(clock).transport(script.clone()).background(false));
    assert_eq!(text(&client), token(2));
    assert_eq!(script.exchanges(), 2, "what was read is believed");
}

struct Overtaken {
    world: World,
    file: PathBuf,
    newer: Mutex<Option<Vec<u8>>>,
}

impl Clock for Overtaken {
    fn now(&self) -> Instant {
        self.world.now()
    }

    fn unix_time(&self) -> Option<Duration> {
        self.world.unix_time()
    }

    /// The last that is asked of a clock for a moment.
    fn boot_id(&self) -> Option<String> {
        if let Some(newer) = self.newer.lock().expect("no panic").take() {
            fs::write(&self.file, newer).expect("written");
            self.world.advance_s(100);
        }
        self.world.boot_id()
    }
}

#[test]
fn nor_is_one_from_the_future_believed_when_its_token_was_old_already() {
    let (home, world) = (Home::new(), World::still());
    let script = Script::new(|n| if n == 2 { refuse(-1, "system error") } else { grant(n) });
    let client = home.client(&world, &script);
    text(&client);
    world.advance_s(crate::world::REFRESH_AFTER_S);
    // The refresh fails, and the file is written anew for its ledger, half an hour before the token ends.
    assert_eq!(text(&client), token(1));
    world.set_unix_back_s(3600);
    world.reboot();
    assert_eq!(text(&home.client(&world, &script)), token(3));
}

#[test]
fn of_two_clocks_that_disagree_the_one_that_leaves_less_life_is_believed() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.client(&world, &script));
    world.advance_s(1000);
    // Time of day was set back by less than has passed: it alone would give the token 900 s more than it has.
    world.set_unix_back_s(900);
    let client = home.client(&world, &script);
    let held = client.token().expect("stored");
    assert_eq!((held.as_str(), client.remaining(&held)), (token(1).as_str(), Duration::from_secs(6198)));
    // Set ahead, it leaves less than the uptime says.
    world.set_unix_ahead_s(2900);
    let client = home.client(&world, &script);
    let held = client.token().expect("stored");
    assert_eq!((held.as_str(), client.remaining(&held)), (token(1).as_str(), Duration::from_secs(4198)));
    // After another boot there is only the time of day.
    world.reboot();
    let client = home.client(&world, &script);
    let held = client.token().expect("stored");
    assert_eq!(client.remaining(&held), Duration::from_secs(4198));
}

#[test]
fn an_expired_file_costs_a_fetch() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.client(&world, &script));
    world.advance_s(7198);
    assert_eq!(text(&home.client(&world, &script)), token(2));
}

#[test]
fn a_store_that_fails_changes_nothing_else() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let nowhere = builder(&world, &script).cache(home.directory.path().join("missing").join("token.json"));
    let nowhere = nowhere.build().expect("fine");
    fs::create_dir(home.beside(".tmp")).expect("something in the way of the temporary file");
    let blocked = home.client(&world, &script);
    for client in [nowhere, blocked] {
        let first = text(&client);
        world.advance_s(100);
        assert_eq!(text(&client), first);
    }
    assert_eq!(script.exchanges(), 2, "no more fetches than without a file");
}

#[test]
fn what_a_killed_process_left_behind_is_cleared_away() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    fs::write(home.beside(".tmp"), "half a tok").expect("written");
    text(&home.client(&world, &script));
    assert!(home.file().exists() && !home.beside(".tmp").exists());
    assert_eq!(text(&home.client(&world, &script)), token(1));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.client(&world, &script));
    assert_eq!((mode(&home.file()), mode(&home.beside(".lock"))), (0o600, 0o600));
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(text(&home.client(&world, &script)), token(1), "still taken");
    assert_eq!(mode(&home.file()), 0o600, "and tightened");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_its_place_stops_nobody() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    let made = std::process::Command::new("mkfifo").arg(home.file()).status();
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(text(&home.client(&world, &script)), token(1));
    }
}

#[test]
fn neither_the_secret_nor_a_part_of_it_is_in_the_file_or_its_name() {
    let (home, world, script) = (Home::new(), World::still(), Script::tokens());
    text(&home.set(on(&Endpoint::STABLE_TOKEN, &world, &script)));
    for entry in fs::read_dir(home.directory.path()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let all = format!("{} {}", path.display(), fs::read_to_string(&path).expect("text"));
        assert!(!all.contains(&crate::world::SECRET[..8]));
    }
}
