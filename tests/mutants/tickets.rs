//! Bugs of tickets and signed pages.

use crate::list::{Mutant, Test};

const fn tickets(test: &'static str) -> Test {
    ("wxtoken", "tickets", test)
}

const TICKET: &str = "adapters/std/src/ticket.rs";

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a ticket's life is extended by a repeat",
        file: "core/src/keeper/outcome.rs",
        from: "self.expires_at = self.expires_at.min(expires_at);",
        to: "self.expires_at = expires_at;",
        killer: tickets("life::a_repeat_of_the_same_ticket_does_not_extend_its_life"),
    },
    Mutant {
        name: "a refused token below a ticket is sent again",
        file: TICKET,
        from: "if *other == *token {",
        to: "if false {",
        killer: tickets("refusals::the_same_token_is_not_sent_again_after_it_was_refused"),
    },
    Mutant {
        name: "a ticket is fetched again with the token of before",
        file: TICKET,
        from: "let reply = send(&other)?;",
        to: "let reply = send(&token)?;",
        killer: tickets("refusals::museum_24_a_refused_token_heals_with_one_fetch_of_each_and_without_a_wait"),
    },
    Mutant {
        name: "a refused token below a ticket is not reported",
        file: TICKET,
        from: "self.0.report_refused(&token);",
        to: "",
        killer: tickets("refusals::museum_24_a_refused_token_heals_with_one_fetch_of_each_and_without_a_wait"),
    },
    Mutant {
        name: "a refused token below a ticket counts as a wrong secret",
        file: "core/src/endpoint/ticket.rs",
        from: "if self.extras() == 0 {",
        to: "if self.extras() < 9 {",
        killer: tickets("refusals::a_platform_that_refuses_every_token_costs_two_and_all_callers_get_the_reason"),
    },
    Mutant {
        name: "a ticket is given up while its token is replaced",
        file: "core/src/policy.rs",
        from: "lost_after_s: 35,",
        to: "lost_after_s: 15,",
        killer: tickets("chain::a_slow_platform_costs_patience_and_no_ticket"),
    },
    Mutant {
        name: "a ticket waits out its backoff although the token has come",
        file: TICKET,
        from: "if lacked_token &&",
        to: "if false && lacked_token &&",
        killer: tickets("chain::a_token_that_has_come_meanwhile_ends_the_wait_for_one"),
    },
    Mutant {
        name: "a ticket has the ledger of a token",
        file: "core/src/policy.rs",
        from: "daily_limit: 90,",
        to: "daily_limit: 500,",
        killer: (
            "wxtoken-core",
            "lib",
            "endpoint::ticket::tests::a_day_costs_24_fetches_and_the_worst_no_more_than_the_platform_gives_in_an_hour",
        ),
    },
    Mutant {
        name: "a page is signed with what follows the #",
        file: "core/src/js_sdk.rs",
        from: "let page = url.split(['#']).next().unwrap_or(\"\");",
        to: "let page = url;",
        killer: tickets("sign::a_page_gets_what_its_script_needs_and_no_secret"),
    },
    Mutant {
        name: "a page is signed with its nonce spelled otherwise",
        file: "core/src/js_sdk.rs",
        from: "\"&noncestr=\", nonce, \"&timestamp=\"",
        to: "\"&nonceStr=\", nonce, \"&timestamp=\"",
        killer: tickets("sign::the_documented_example_has_the_documented_signature"),
    },
];
