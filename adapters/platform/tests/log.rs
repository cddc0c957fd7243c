//! Does the log show a secret or a token? A file of its own, since it listens to all events of the process.

#[path = "wire/client.rs"]
#[allow(dead_code, reason = "shared with the tests over sockets")]
mod client;

use std::fmt::{Debug, Write};
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wxtoken_platform::{Fault, FaultScope};

use client::{ID, SECRET, frozen, get, get_text, post, raw, token_path};

static LOG: Mutex<String> = Mutex::new(String::new());

struct Recorder;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Line(&mut LOG.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut LOG.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut LOG.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn no_event_shows_a_secret_or_a_token() {
    tracing::subscriber::set_global_default(Recorder).unwrap();
    let platform = frozen();
    let url = platform.http_url();
    let token = get(&url, &token_path()).token();
    get(&url, &format!("/cgi-bin/getcallbackip?access_token={token}"));
    get(&url, &format!("/a-client-that-errs/{token}?secret={SECRET}"));
    platform.fault(Fault::Cut { after: 40 }, FaultScope::next_call());
    raw(&url, &get_text(&token_path())).unwrap();
    raw(&url, &format!("GET {} NOT-HTTP\r\n\r\n", token_path())).unwrap();
    post(&platform.control_url(), &format!("/accounts/{ID}/secret"), &format!(r#"{{"secret":"{SECRET}","x":1}}"#));
    platform.shutdown();

    let log = LOG.lock().unwrap();
    assert!(log.contains("a fault happens to this call"), "not vacuous: {log}");
    assert!(!log.contains(SECRET) && !log.contains(&token), "{log}");
}
