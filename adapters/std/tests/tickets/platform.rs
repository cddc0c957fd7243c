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
