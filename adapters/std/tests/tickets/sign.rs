//! A signed page: what its script gets, and what is refused.

use std::time::Duration;

use wxtoken::{BadPage, Clock, Endpoint, Instant, PageSignature, SignError, Token};

use crate::{
    desk::{Desk, text, ticket},
    world::{ID, SECRET, World, refuse},
};

#[test]
fn a_page_gets_what_its_script_needs_and_no_secret() {
    let (world, desk) = (World::still(), Desk::new(|n, _| ticket(n)));
    let tickets = desk.tickets(&world);
    let page = tickets.sign("https://example.com/a?b=1#top").expect("signed");
    assert_eq!((page.app_id.as_str(), page.url.as_str()), (ID, "https://example.com/a?b=1"));
    assert_eq!(page.timestamp_s, 1_767_412_800);
    let own = Token::new(&text(1)).expect("a ticket");
    let right = PageSignature::new(&own, page.nonce.as_str(), page.timestamp_s, &page.url).expect("a page");
    assert_eq!(page.signature, right);
    let json = serde_json::to_value(&page).expect("plain");
    assert_eq!(json["signature"], right.as_str());
    assert_eq!(json["nonceStr"], page.nonce.as_str());
    assert_eq!((&json["appId"], &json["timestamp"]), (&ID.into(), &1_767_412_800_u64.into()));
    let shown = format!("{page:?} {json} {tickets:?} {:?} {}", tickets.ticket(), tickets.status());
    assert!(!shown.contains(&text(1)) && !shown.contains(SECRET) && !shown.contains("accesstoken"), "{shown}");
    // Another page, another signature, the same ticket.
    let other = tickets.sign("https://example.com/a?b=1").expect("signed");
    assert_ne!(other.nonce, page.nonce);
    assert_eq!(desk.carried(), vec![1]);
}

/// The example of the platform's JS-SDK guide, appendix 1.
#[test]
fn the_documented_example_has_the_documented_signature() {
    let ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg";
    let ticket = Token::new(ticket).expect("a ticket");
    let url = "http://mp.weixin.qq.com?params=value";
    let signature = PageSignature::new(&ticket, "Wm3WZYTPz0wzccnW", 1_414_587_457, url).expect("a page");
    assert_eq!(signature.as_str(), "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
}

#[test]
fn an_address_that_cannot_be_a_page_costs_no_fetch() {
    let (world, desk) = (World::still(), Desk::new(|n, _| ticket(n)));
    let tickets = desk.tickets(&world);
    for (url, why) in [("example.com", BadPage::Address), ("https://example.com/页", BadPage::NotEncoded)] {
        let error = tickets.sign(url).expect_err("refused");
        assert!(matches!(&error, SignError::Page(is) if *is == why), "{error:?}");
    }
    let cards = desk.client(&world, false).ticket(&Endpoint::WX_CARD_TICKET).build().expect("fine");
    assert!(matches!(cards.sign("https://example.com/"), Err(SignError::NotForPages)));
    assert_eq!((desk.tokens(), desk.carried()), (0, vec![]));
}

#[test]
fn without_a_ticket_it_is_said_why() {
    let (world, desk) = (World::still(), Desk::new(|_, _| refuse(48001, "api unauthorized")));
    let error = desk.tickets(&world).sign("https://example.com/").expect_err("refused");
    assert!(error.to_string().contains("48001") && error.to_string().starts_with("no ticket"), "{error}");
}

/// Knows no time of day.
struct Dateless;

impl Clock for Dateless {
    fn now(&self) -> Instant {
        Instant::from_millis(1_000)
    }

    fn unix_time(&self) -> Option<Duration> {
        None
    }
}

#[test]
fn without_the_time_of_day_nothing_is_signed() {
    let desk = Desk::new(|n, _| ticket(n));
    let client = wxtoken::Client::builder(&Endpoint::TOKEN, ID, SECRET).clock(Dateless).transport(desk.clone());
    let tickets =
        client.background(false).build().expect("fine").ticket(&Endpoint::JSAPI_TICKET).build().expect("fine");
    assert!(matches!(tickets.sign("https://example.com/"), Err(SignError::Time)));
    assert_eq!(desk.tokens(), 0);
}
