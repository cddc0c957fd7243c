//! A platform of two closures: what a fetch of a token and what one of a ticket is answered.

use std::sync::{Arc, Mutex};

use wxtoken::{Client, Endpoint, Request, Response, TicketBuilder, TicketClient, Transport};

use crate::world::{Answer, ID, SECRET, World, grant, token};

#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

type AnswerTicket = dyn Fn(usize, &str) -> Answer + Send + Sync;

struct Inner {
    token: Box<dyn Fn(usize) -> Answer + Send + Sync>,
    ticket: Box<AnswerTicket>,
    tokens: Mutex<usize>,
    /// The token that each fetch of a ticket carried.
    carried: Mutex<Vec<String>>,
}

impl Desk {
    /// Answers the n-th fetch (from 1) of a token with the n-th token, and that of a ticket as told: with its number and
    /// the token it carried.
    pub(crate) fn new(ticket: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(grant, ticket)
    }

    pub(crate) fn with(
        token: impl Fn(usize) -> Answer + Send + Sync + 'static,
        ticket: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (tokens, carried) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { token: Box::new(token), ticket: Box::new(ticket), tokens, carried }))
    }

    pub(crate) fn tokens(&self) -> usize {
        *self.0.tokens.lock().expect("no panic")
    }

    /// The numbers of the tokens that fetches of a ticket carried.
    pub(crate) fn carried(&self) -> Vec<usize> {
        let carried = self.0.carried.lock().expect("no panic");
        carried.iter().map(|text| (1..100).find(|n| token(*n) == *text).expect("one of ours")).collect()
    }

    /// Whether no client holds it any more.
    pub(crate) fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub(crate) fn client(&self, world: &World, background: bool) -> Client {
        let client = Client::builder(&Endpoint::TOKEN, ID, SECRET).clock(world.clone()).transport(self.clone());
        client.background(background).build().expect("fine")
    }

    pub(crate) fn tickets(&self, world: &World) -> TicketClient {
        self.builder(world).build().expect("fine")
    }

    pub(crate) fn builder(&self, world: &World) -> TicketBuilder {
        self.client(world, false).ticket(&Endpoint::JSAPI_TICKET)
    }
}

impl Transport for Desk {
    fn exchange(&self, request: &Request<'_, '_>) -> Answer {
        let mut target = String::new();
        request.write_target(&mut target).expect("a String takes all");
        let Some((_, query)) = target.split_once("/cgi-bin/ticket/getticket?access_token=") else {
            let n = count(&mut self.0.tokens.lock().expect("no panic"));
            return (self.0.token)(n);
        };
        let token = query.strip_suffix("&type=jsapi").expect("nothing else").to_owned();
        let n = {
            let mut carried = self.0.carried.lock().expect("no panic");
            carried.push(token.clone());
            carried.len()
        };
        (self.0.ticket)(n, &token)
    }
}

fn count(n: &mut usize) -> usize {
    *n += 1;
    *n
}

/// The n-th ticket, with a full life.
pub(crate) fn ticket(n: usize) -> Answer {
    let body = format!(r#"{{"errcode":0,"errmsg":"ok","ticket":"{}","expires_in":7200}}"#, text(n));
    Ok(Response::new(200, body))
}

/// The text of the n-th ticket.
pub(crate) fn text(n: usize) -> String {
    format!("ticket{n:06}")
}
