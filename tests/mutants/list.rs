//! Which bugs are planted, and which test must notice each.

use crate::{calls, program, server, tickets};

/// One bug: in `file`, `from` (which stands there exactly once) becomes `to`.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) killer: Test,
}

/// Package, test target, test.
pub(crate) type Test = (&'static str, &'static str, &'static str);

/// All there are.
pub(crate) fn all() -> impl Iterator<Item = &'static Mutant> {
    [MUTANTS, calls::MUTANTS, program::MUTANTS, server::MUTANTS, tickets::MUTANTS].into_iter().flatten()
}

pub(crate) const fn museum(test: &'static str) -> Test {
    ("wxtoken-tests", "museum", test)
}

const fn client(test: &'static str) -> Test {
    ("wxtoken", "client", test)
}

const PROPERTIES: Test = ("wxtoken-tests", "properties", "a_million_operations_break_no_rule");
const SIMULATION: Test = ("wxtoken-tests", "simulation", "ten_thousand_days_of_trouble_break_no_promise");

const OUTCOME: &str = "core/src/keeper/outcome.rs";
const SCHEDULE: &str = "core/src/keeper/schedule.rs";
const NEWS: &str = "core/src/keeper/news.rs";
const KEEPER: &str = "core/src/keeper.rs";

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the cache file is written in place",
        file: "adapters/std/src/cache.rs",
        from: "fs::rename(&self.temporary, &self.path)?;",
        to: "{ let mut file = File::create(&self.path)?; for byte in bytes { file.write_all(&[*byte])?; } }",
        killer: ("wxtoken-process", "process", "two_processes_killed_500_times_never_leave_a_torn_file"),
    },
    Mutant {
        name: "01 backoff computed and never slept",
        file: OUTCOME,
        from: "self.not_before = self.not_before.max(now.saturating_add(wait));",
        to: "let _ = wait;",
        killer: museum("no_01_backoff_computed_and_never_slept"),
    },
    Mutant {
        name: "02 no floor between successes",
        file: OUTCOME,
        from: "self.not_before = self.not_before.max(now.saturating_add(ms(self.policy.floor_s)));",
        to: "",
        killer: museum("no_02_hot_loop_on_short_lives"),
    },
    Mutant {
        name: "03 a failed refresh drops the token",
        file: OUTCOME,
        from: "let wait = self.wait_after(now, trouble);",
        to: "let wait = self.wait_after(now, trouble); self.token.wipe();",
        killer: museum("no_03_a_failed_refresh_displaced_a_valid_token"),
    },
    Mutant {
        name: "04 a wrong secret is never tried again",
        file: OUTCOME,
        from: "Family::Act => self.patience(),",
        to: "Family::Act => u64::MAX / 4,",
        killer: museum("no_04_05_one_error_ended_refreshing_for_good"),
    },
    Mutant {
        name: "05 an error is remembered after a success",
        file: OUTCOME,
        from: "self.streak = 0;\n        self.trouble = None;",
        to: "self.streak = 0;",
        killer: museum("no_04_05_one_error_ended_refreshing_for_good"),
    },
    Mutant {
        name: "06 a repeat extends the expiry",
        file: OUTCOME,
        from: "self.expires_at = self.expires_at.min(expires_at);",
        to: "self.expires_at = expires_at;",
        killer: museum("no_06_expiry_extended_past_the_end"),
    },
    Mutant {
        name: "07 a retry below the keeper",
        file: "adapters/std/src/attempt.rs",
        from: "_ => Ok(self.transport.exchange(&account.request(fetch).reporting(refused).unless(tag))?),",
        to: "_ => Ok(self.transport.exchange(&account.request(fetch).reporting(refused).unless(tag)).or_else(|_| self.transport.exchange(&account.request(fetch)))?),",
        killer: client("flight::museum_07_one_fetch_is_one_exchange"),
    },
    Mutant {
        name: "08 a quiet window shorter than an execution",
        file: "core/src/policy.rs",
        from: "quiet_s: 75,",
        to: "quiet_s: 15,",
        killer: museum("no_08_a_lock_shorter_than_the_call_it_protects"),
    },
    Mutant {
        name: "09 an older reply is taken for the current one",
        file: SCHEDULE,
        from: "self.ticket = self.ticket.wrapping_add(1);",
        to: "self.ticket = 1;",
        killer: museum("no_09_an_older_reply_overwrote_the_newer_token"),
    },
    Mutant {
        name: "10 a report drops whatever is held",
        file: NEWS,
        from: "if self.token.fingerprint() != seen {",
        to: "if false {",
        killer: museum("no_10_stale_reports_expired_the_fresh_token"),
    },
    Mutant {
        name: "11 every cold caller fetches",
        file: SCHEDULE,
        from: "self.in_flight = true;",
        to: "self.in_flight = false;",
        killer: client("flight::museum_11_64_cold_callers_cost_one_fetch"),
    },
    Mutant {
        name: "12 expired first, fetched afterwards",
        file: SCHEDULE,
        from: "self.sent_at = now;",
        to: "self.sent_at = now; self.expires_at = now;",
        killer: museum("no_12_expired_first_fetched_afterwards"),
    },
    Mutant {
        name: "13 replies are not matched to their exchange",
        file: SCHEDULE,
        from: "self.ticket = self.ticket.wrapping_add(1);",
        to: "self.ticket = 1;",
        killer: museum("no_13_two_replies_swapped"),
    },
    Mutant {
        name: "14 the original life is relayed",
        file: KEEPER,
        from: "true => Instant::from_millis(self.expires_at).saturating_since(now),",
        to: "true => core::time::Duration::from_millis(u64::from(self.life_ms)),",
        killer: museum("no_14_relayed_the_original_life"),
    },
    Mutant {
        name: "16 the clock that leaves more life is believed",
        file: "adapters/std/src/cache/entry.rs",
        from: "by_wall.min(by_boot)",
        to: "by_wall.max(by_boot)",
        killer: client("cache::of_two_clocks_that_disagree_the_one_that_leaves_less_life_is_believed"),
    },
    Mutant {
        name: "17 life counts from the reply",
        file: OUTCOME,
        from: "self.sent_at.saturating_add(announced_ms)",
        to: "now.saturating_add(announced_ms)",
        killer: museum("no_17_life_counted_from_the_reply"),
    },
    Mutant {
        name: "17 life counts from the reply, seen in the simulated days",
        file: OUTCOME,
        from: "self.sent_at.saturating_add(announced_ms)",
        to: "now.saturating_add(announced_ms)",
        killer: SIMULATION,
    },
    Mutant {
        name: "18 jitter drawn at every poll",
        file: SCHEDULE,
        from: "let mut at = self.attempt_at();",
        to: "let mut at = self.attempt_at().saturating_sub(u64::from(jitter::up_to(9_999, self.seed, now)));",
        killer: museum("no_18_jitter_drawn_again_at_every_poll"),
    },
    Mutant {
        name: "19 instants compared in whole seconds",
        file: SCHEDULE,
        from: "if now < at {",
        to: "if now / 1000 < at / 1000 {",
        killer: museum("no_19_sub_second_truncation_missed_the_wake_up"),
    },
    Mutant {
        name: "20 no life taken for a full one",
        file: "core/src/reply.rs",
        from: "u32::try_from(expires_in).ok().filter(|s| (1..=MAX_EXPIRES_IN).contains(s)).ok_or(Malformed::Expiry)",
        to: "Ok(u32::try_from(expires_in).ok().filter(|s| (1..=MAX_EXPIRES_IN).contains(s)).unwrap_or(7200))",
        killer: museum("no_20_no_life_taken_for_a_full_one"),
    },
    Mutant {
        name: "21 ticks that do not wrap",
        file: "core/src/time.rs",
        from: "tick.wrapping_sub(self.wide as u32)",
        to: "tick.saturating_sub(self.wide as u32)",
        killer: museum("no_21_ticks_wrap_after_49_days"),
    },
    Mutant {
        name: "22 fetching without end on refused tokens",
        file: NEWS,
        from: "if self.refused_streak > 1 {",
        to: "if false {",
        killer: museum("no_22_unbounded_fetching_on_a_refused_token"),
    },
    Mutant {
        name: "23 a panicking fetcher strands the rest",
        file: "adapters/std/src/attempt.rs",
        from: "catch_unwind(AssertUnwindSafe(|| self.exchange(fetch, (refused, &tag), token)))",
        to: "Ok::<_, ()>(self.exchange(fetch, (refused, &tag), token)).or_else(|()| catch_unwind(AssertUnwindSafe(|| self.exchange(fetch, (refused, &tag), None))))",
        killer: client("flight::a_panicking_transport_strands_nobody"),
    },
    Mutant {
        name: "25 two apps of one corp share a cache key",
        file: "adapters/std/src/identity.rs",
        from: "let secret = Sha256::digest(secret.as_bytes());",
        to: "let _ = secret; let secret = Sha256::digest([]);",
        killer: ("wxtoken", "lib", "identity::tests::museum_25_two_apps_of_one_corp_are_two_accounts"),
    },
    Mutant {
        name: "26 one forced refresh forces every later one",
        file: OUTCOME,
        from: "self.reaffirmed = false;\n        self.force_pending = false;",
        to: "self.reaffirmed = false;",
        killer: museum("no_26_one_forced_refresh_made_every_later_one_forced"),
    },
    Mutant {
        name: "27 no quiet window after a lost reply",
        file: OUTCOME,
        from: "if trouble.maybe_executed() && self.endpoint.repeat == Repeat::Rotates {",
        to: "if false {",
        killer: museum("no_27_a_lost_reply_retried_elsewhere_minted_twice"),
    },
    Mutant {
        name: "28 Debug shows the secret",
        file: "core/src/account.rs",
        from: "&format_args!(\"{} bytes\", self.secret.len())",
        to: "&self.secret",
        killer: museum("no_28_a_secret_in_what_is_shown"),
    },
    Mutant {
        name: "28 Debug shows the token",
        file: "core/src/token.rs",
        from: "write!(f, \"Token({} bytes)\", self.len())",
        to: "write!(f, \"Token({})\", self.as_str())",
        killer: museum("no_28_a_secret_in_what_is_shown"),
    },
    Mutant {
        name: "the ledger has no limit",
        file: SCHEDULE,
        from: "if self.day_fetches >= self.policy.daily_limit {",
        to: "if false {",
        killer: ("wxtoken-core", "lib", "keeper::tests::ledger::a_restored_ledger_counts_on"),
    },
    Mutant {
        name: "the reserve is spent on ordinary refreshes",
        file: SCHEDULE,
        from: "} else if self.day_fetches >= self.unreserved() {",
        to: "} else if false {",
        killer: ("wxtoken-core", "lib", "keeper::tests::ledger::the_reserve_is_for_when_nothing_valid_is_held"),
    },
    Mutant {
        name: "the reserve is not spread over the day",
        file: SCHEDULE,
        from: "self.not_before = self.not_before.max(now.saturating_add(spacing.into()));",
        to: "let _ = spacing;",
        killer: (
            "wxtoken-core",
            "lib",
            "keeper::tests::ledger::a_day_of_failures_costs_the_limit_at_most_and_the_reserve_is_spread",
        ),
    },
    Mutant {
        name: "a report shortens a backoff",
        file: NEWS,
        from: "self.refused = true;",
        to: "self.refused = true; self.not_before = ms_now;",
        killer: PROPERTIES,
    },
    Mutant {
        name: "a token is served at its expiry",
        file: KEEPER,
        from: "self.holds() && !self.refused && now < self.expires_at",
        to: "self.holds() && !self.refused && now <= self.expires_at",
        killer: PROPERTIES,
    },
    Mutant {
        name: "a refused token goes on being served",
        file: KEEPER,
        from: "self.holds() && !self.refused && now < self.expires_at",
        to: "self.holds() && now < self.expires_at",
        killer: PROPERTIES,
    },
    Mutant {
        name: "no grace for a young token",
        file: NEWS,
        from: "&& !self.graced {",
        to: "&& false {",
        killer: PROPERTIES,
    },
    Mutant {
        name: "a dying WeCom token is believed again",
        file: OUTCOME,
        from: "if self.sent_at >= self.certainly_dead_at() {",
        to: "if self.sent_at >= self.expires_at {",
        killer: ("wxtoken-core", "lib", "keeper::tests::life::work_does_not_ask_for_a_token_that_is_just_dying"),
    },
    Mutant {
        name: "a forced refresh over the quota waits for midnight",
        file: OUTCOME,
        from: "self.day_forced = self.policy.forced_limit;\n            self.force_pending = false;",
        to: "",
        killer: PROPERTIES,
    },
    Mutant {
        name: "a WeCom token is asked for at its very expiry",
        file: SCHEDULE,
        from: "dying && at < self.certainly_dead_at() && self.endpoint.repeat == Repeat::SameWhileValid",
        to: "false",
        killer: PROPERTIES,
    },
    Mutant {
        name: "who polls late asks for a dying WeCom token",
        file: SCHEDULE,
        from: "if now >= at && self.would_repeat(now) {",
        to: "if false {",
        killer: ("wxtoken-core", "lib", "keeper::tests::life::work_does_not_ask_for_a_token_that_is_just_dying"),
    },
    Mutant {
        name: "an exchange nobody speaks of is waited for without end",
        file: SCHEDULE,
        from: "if now < lost_at {",
        to: "if true {",
        killer: PROPERTIES,
    },
    Mutant {
        name: "the quiet window binds a dead token, too",
        file: SCHEDULE,
        from: "at = at.max(self.quiet_until.min(dead_at));",
        to: "at = at.max(self.quiet_until);",
        killer: ("wxtoken-core", "lib", "keeper::tests::failures::the_quiet_window_ends_when_the_token_is_known_dead"),
    },
];
