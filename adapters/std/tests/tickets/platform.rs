//! Against the stand-in for the platform, over real sockets.

use wxtoken::{Client, Endpoint};
use wxtoken_platform::{Account, Platform};

const ID: &str = "wx0123456789abcdef";
const CORP: &str = "ww0123456789abcdef";
const SECRET: &str = "0123456789secret0123456789secret";

#[test]
fn every_kind_of_ticket_is_fetched_and_valid() {
    let platform = Platform::builder().account(Account::official(ID, SECRET)).account(Account::work(CORP, SECRET));
    let platform = platform.speed(0.0).start().expect("ports");
    for (of, id, kinds) in [
        (&Endpoint::TOKEN, ID, [&Endpoint::JSAPI_TICKET, &Endpoint::WX_CARD_TICKET]),
        (&Endpoint::WORK, CORP, [&Endpoint::WORK_JSAPI_TICKET, &Endpoint::WORK_AGENT_TICKET]),
    ] {
        let client = Client::builder(of, id, SECRET).base(platform.http_url()).build().expect("fine");
        for kind in kinds {
            let tickets = client.ticket(kind).build().expect("fine");
            let ticket = tickets.ticket().expect("a ticket");
            assert!(platform.ticket_is_valid(id, ticket.as_str()), "{}", kind.name());
        }
        let counters = platform.counters().account(id);
        assert_eq!((counters.minted, counters.tickets_minted), (1, 2), "{}", of.name());
    }
}

#[test]
fn a_ticket_is_fetched_where_calls_are_made_and_in_the_clear_only_where_that_is_allowed() {
    let platform =
        Platform::builder().account(Account::official(ID, SECRET)).tls(true).speed(0.0).start().expect("ports");
    let tokens = || {
        let client = Client::builder(&Endpoint::TOKEN, ID, SECRET).base(platform.https_url().expect("TLS"));
        client.root_certificates(platform.ca_pem().expect("TLS"))
    };
    let client = tokens().api_base(platform.http_url()).build().expect("fine");
    let tickets = client.ticket(&Endpoint::JSAPI_TICKET).build().expect("fine");
    assert_eq!(tickets.status().base, platform.http_url());
    assert!(platform.ticket_is_valid(ID, tickets.ticket().expect("a ticket").as_str()));
    let cards = tokens().build().expect("fine").ticket(&Endpoint::WX_CARD_TICKET).build().expect("fine");
    assert_eq!(cards.status().base, platform.https_url().expect("TLS"));
    assert!(platform.ticket_is_valid(ID, cards.ticket().expect("a ticket").as_str()));
}
