//! Does anything that is printed hold the secret or a token? All events at the most verbose level, all errors, all
//! `Debug`, through successes, refusals that echo the secret, broken files and a panic.
#![cfg(not(shuttle))]

use std::{
    fmt::{self, Write},
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::{Event, Metadata, Subscriber, field::Field, field::Visit, span};
use wxtoken::{Client, Clock, Endpoint, Instant, Request, Response, Transport, TransportError};

const SECRET: &str = "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3t00";
const TOKEN: &str = "tok3ntok3ntok3ntok3n";
const TICKET: &str = "t1ck3tt1ck3tt1ck3tt1ck3t";

/// Writes down every event of everybody, fields and all.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} {}", event.metadata().level(), event.metadata().target());
        event.record(&mut Line(&mut line));
        let mut all = self.0.lock().expect("no panic");
        all.push_str(&line);
        all.push('\n');
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a String takes all");
    }
}

#[derive(Clone, Default)]
struct World {
    now_ms: Arc<AtomicU64>,
    exchanges: Arc<AtomicUsize>,
    tickets: Arc<AtomicUsize>,
}

impl Clock for World {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms.load(Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_secs(1_767_412_800) + Duration::from_millis(self.now_ms.load(Ordering::SeqCst)))
    }
}

impl Transport for World {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        let mut url = String::new();
        request.write_url(&mut url).expect("a String takes all");
        assert!(url.contains(SECRET) || url.contains(TOKEN), "there is something to leak");
        if url.contains("/cgi-bin/ticket/") {
            return self.ticket(&url);
        }
        let n = self.exchanges.fetch_add(1, Ordering::SeqCst);
        let echo = |code: i32| format!(r#"{{"errcode":{code},"errmsg":"no: {url} {TOKEN}"}}"#);
        match n % 8 {
            0 => Ok(Response::new(200, format!(r#"{{"access_token":"{TOKEN}{n}","expires_in":7200}}"#))),
            1 => Ok(Response::new(200, echo(40125))),
            2 => Ok(Response::new(200, echo(40164))),
            3 => Ok(Response::new(502, url)),
            4 => Ok(Response::new(200, format!(r#"{{"access_token":"{TOKEN}","expires_in":-1}}"#))),
            5 => Ok(Response::new(200, echo(99_999))),
            6 => Err(TransportError::Timeout),
            _ => panic!("on purpose"),
        }
    }
}

impl World {
    fn ticket(&self, url: &str) -> Result<Response, TransportError> {
        let echo = |code: i32| Ok(Response::new(200, format!(r#"{{"errcode":{code},"errmsg":"no: {url} {TICKET}"}}"#)));
        match self.tickets.fetch_add(1, Ordering::SeqCst) % 5 {
            0 => echo(40001),
            1 => echo(48001),
            2 => Ok(Response::new(502, url)),
            3 => Ok(Response::new(200, format!(r#"{{"ticket":"{TICKET}","expires_in":900}}"#))),
            _ => panic!("on purpose"),
        }
    }
}

#[test]
fn nothing_that_is_printed_holds_the_secret_or_a_token() {
    let ear = Ear::default();
    tracing::subscriber::set_global_default(ear.clone()).expect("the only test of this program");
    let home = tempfile::TempDir::new().expect("a temporary directory");
    let file = home.path().join("token.json");
    let world = World::default();
    let client = |id: &str| {
        let builder = Client::builder(&Endpoint::TOKEN, id, SECRET).clock(world.clone()).transport(world.clone());
        builder.cache(&file).background(false).build().expect("fine")
    };
    let (mut printed, mut signed) = (String::new(), 0);
    for round in 0..4 {
        let mut with_token = Vec::new();
        let client = client(if round % 2 == 0 { "wx1" } else { "wx2" });
        let tickets = client.ticket(&Endpoint::JSAPI_TICKET).cache(home.path().join("ticket.json"));
        let tickets = tickets.wait(Duration::from_millis(1)).build().expect("fine");
        for _ in 0..40 {
            match client.token_within(Duration::from_millis(1)) {
                Ok(token) => {
                    with_token = fs::read(&file).expect("written");
                    let reported = client.report_refused(&token);
                    writeln!(printed, "{token:?} {:?} {reported:?}", token.fingerprint()).expect("a String takes all");
                }
                Err(error) => writeln!(printed, "{error} {error:?}").expect("a String takes all"),
            }
            writeln!(printed, "{0} {0:?} {client:?}", client.status()).expect("a String takes all");
            match tickets.sign("https://example.com/page") {
                Ok(page) => {
                    signed += 1;
                    writeln!(printed, "{page:?} {:?}", tickets.ticket()).expect("a String takes all");
                }
                Err(error) => writeln!(printed, "{error} {error:?}").expect("a String takes all"),
            }
            writeln!(printed, "{0} {0:?} {tickets:?}", tickets.status()).expect("a String takes all");
            world.now_ms.fetch_add(600_000, Ordering::SeqCst);
        }
        // Torn, with the token in clear in what is left.
        let torn = with_token.get(..with_token.len() * 3 / 4).expect("three quarters");
        assert!(String::from_utf8_lossy(torn).contains(TOKEN), "there is something to leak");
        fs::write(&file, torn).expect("written");
    }
    assert!(signed > 5, "{signed}");
    let events = ear.0.lock().expect("no panic");
    for sign in ["a new token", "refused", "40125", "\"the cache file is ignored\"", "panicked", "reported"] {
        assert!(events.contains(sign) || events.contains(sign.trim_matches('"')), "nothing heard of {sign}: {events}");
    }
    for (name, text) in [("events", events.as_str()), ("results", &printed)] {
        for hidden in [SECRET, TOKEN, TICKET, "secret=", "/cgi-bin/token?", "access_token="] {
            assert!(!text.contains(hidden), "{name} hold {hidden}");
        }
    }
}
