//! Bugs of the token server.

use crate::list::{Mutant, Test};

const fn lib(test: &'static str) -> Test {
    ("wxtoken-server", "lib", test)
}

const fn engine(test: &'static str) -> Test {
    ("wxtoken-server", "engine", test)
}

const HELD: &str = "adapters/server/src/doors/held.rs";
const LEASE: &str = "adapters/server/src/store/lease.rs";
const ATTEMPT: &str = "adapters/server/src/upstream/attempt.rs";
const CREDENTIAL: &str = "adapters/server/src/engine/credential.rs";
const BELIEF: &str = "adapters/server/src/store/belief.rs";

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "server: a report of an older token drops the current one",
        file: CREDENTIAL,
        from: "Self::Fingerprint(fingerprint) => held.fingerprint() == fingerprint,",
        to: "Self::Fingerprint(_) => true,",
        killer: lib("doors::tests::a_token_is_read_reported_and_rotated"),
    },
    Mutant {
        name: "server: only half of a key's hash is compared",
        file: "adapters/server/src/access.rs",
        from: "bool::from(known.ct_eq(hash))",
        to: "bool::from(known[..16].ct_eq(&hash[..16]))",
        killer: lib("access::tests::a_key_whose_hash_only_begins_alike_is_another"),
    },
    Mutant {
        name: "server: a restart forgets the ledger",
        file: BELIEF,
        from: "let ledger = if resets_in.is_zero() { Ledger::default() } else { ledger };",
        to: "let ledger = Ledger { fetches: 0, ..ledger };",
        killer: lib("store::belief::tests::a_ledger_holds_until_its_day_ends"),
    },
    Mutant {
        name: "server: the clock that leaves more life is believed",
        file: BELIEF,
        from: "|by_wall| by_wall.min(by_boot)",
        to: "|by_wall| by_wall.max(by_boot)",
        killer: lib("store::belief::tests::the_clock_that_leaves_less_is_believed"),
    },
    Mutant {
        name: "server: a store that fails stops the fetching",
        file: ATTEMPT,
        from: "inner.store_fails(cell, failing);\n            Leave::Granted(attempt)",
        to: "inner.store_fails(cell, failing);\n            Leave::NotNow",
        killer: engine("restart::a_store_that_fails_stops_nothing_and_is_caught_up_with"),
    },
    Mutant {
        name: "server: a damaged store is overwritten",
        file: "adapters/server/src/store/redb/file.rs",
        from: "return match fs::rename(&self.path, &kept_as) {",
        to: "return match fs::remove_file(&self.path) {",
        killer: lib("store::redb::tests::a_damaged_store_is_set_aside_byte_for_byte"),
    },
    Mutant {
        name: "server: another's exchange is not waited for",
        file: LEASE,
        from: "if now < until_ms { Claimed::Busy { until_ms } }",
        to: "if now > u64::MAX - 1 { Claimed::Busy { until_ms } }",
        killer: lib("store::lease::tests::another_s_exchange_is_waited_for_as_long_as_it_may_execute"),
    },
    Mutant {
        name: "server: an older commit takes the newer one's place",
        file: LEASE,
        from: "if stored.generation > record.generation {",
        to: "if false {",
        killer: lib("store::lease::tests::an_older_commit_changes_nothing"),
    },
    Mutant {
        name: "server: a torn record is believed",
        file: "adapters/server/src/store/record.rs",
        from: "rest.is_empty().then_some(record)",
        to: "{ let _ = rest; Some(record) }",
        killer: lib("store::record::tests::a_torn_record_is_none"),
    },
    Mutant {
        name: "server: a ticket is asked for without its token",
        file: ATTEMPT,
        from: "let extras = [above.map_or(\"\", Held::as_str)];",
        to: "let extras = [{ let _ = above; \"\" }];",
        killer: engine("tickets::a_ticket_comes_after_its_token"),
    },
    Mutant {
        name: "server: a refused token comes back with a restart",
        file: CREDENTIAL,
        from: "            self.save_soon();",
        to: "",
        killer: engine("restart::a_refused_token_stays_refused_over_a_restart"),
    },
    Mutant {
        name: "server: a client reads what is another's",
        file: HELD,
        from: " && client.has(account)",
        to: "",
        killer: lib("serve::quick::tests::whoever_may_not_read_is_refused_elsewhere"),
    },
    Mutant {
        name: "server: a key is good from anywhere on the short way",
        file: HELD,
        from: "client.comes_from(peer.address) && ",
        to: "",
        killer: lib("serve::quick::tests::where_a_key_may_come_from_and_how_often_holds_on_this_way_too"),
    },
    Mutant {
        name: "server: nobody is too fast on the short way",
        file: HELD,
        from: "client.ask().ok()?;",
        to: "",
        killer: lib("serve::quick::tests::where_a_key_may_come_from_and_how_often_holds_on_this_way_too"),
    },
    Mutant {
        name: "server: any field is without meaning on the short way",
        file: "adapters/server/src/serve/quick.rs",
        from: "} else if !WITHOUT_MEANING.iter().any(|name| field.name.eq_ignore_ascii_case(name)) {",
        to: "} else if WITHOUT_MEANING.is_empty() {",
        killer: lib("serve::quick::tests::a_read_is_known_and_what_only_looks_like_one_is_not"),
    },
    Mutant {
        name: "server: what is left of a life is not reckoned at the answer",
        file: "adapters/server/src/doors/native/handed.rs",
        from: "let expires_in = snapshot.remaining(now).as_secs();",
        to: "let expires_in = snapshot.remaining(Instant::ZERO).as_secs();",
        killer: lib("doors::tests::a_token_is_read_reported_and_rotated"),
    },
    Mutant {
        name: "server: every tag names the token that is held",
        file: "adapters/server/src/doors/etag.rs",
        from: "self.any(|element| element == b\"*\" || element.strip_prefix",
        to: "self.any(|element| !element.is_empty() || element.strip_prefix",
        killer: lib("doors::etag::tests::conditions_are_lists_compared_weakly"),
    },
    Mutant {
        name: "server: all readers come back together",
        file: "adapters/server/src/doors/spread.rs",
        from: "fetch.saturating_add(self.draw(room))",
        to: "fetch.saturating_add(self.draw(room) * 0)",
        killer: lib("doors::spread::tests::readers_come_evenly_after_the_fetch_and_within_half_of_what_is_left"),
    },
    Mutant {
        name: "server: a credential at rest loses its token",
        file: "adapters/server/src/engine/resting.rs",
        from: "(Some(held), _) => Text::Shared(held),",
        to: "(Some(_), _) => Text::None,",
        killer: engine("restart::a_restart_fetches_nothing"),
    },
];
