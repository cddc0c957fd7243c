//! What could go wrong with the calls of a program: bugs in the crate wxtoken, below the decisions of the core.

use crate::list::{Mutant, Test};

const CALL: &str = "adapters/std/src/call.rs";
const ERRAND: &str = "adapters/std/src/call/errand.rs";

const fn calls(test: &'static str) -> Test {
    ("wxtoken", "calls", test)
}

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "22 a program's call begins anew when it was given up",
        file: CALL,
        from: "Todo::Done => return errand.reply(product),",
        to: "Todo::Done => return errand.reply(product),
                Todo::GiveUp(GaveUp::RefusedAgain) => {
                    drop(state);
                    return self.run(errand, limit);
                }",
        killer: calls("museum::no_22_unbounded_recursion_on_a_refused_token"),
    },
    Mutant {
        name: "24 a program's request is built once",
        file: CALL,
        from: "errand.attempt(shared, &mut healing, base, token);",
        to: "{
                            static FIRST: std::sync::OnceLock<crate::TokenRef> = std::sync::OnceLock::new();
                            errand.attempt(shared, &mut healing, base, FIRST.get_or_init(|| token.clone()));
                        }",
        killer: calls("museum::no_24_a_retry_sends_the_old_token"),
    },
    Mutant {
        name: "a late caller gives up while a fetch is under way",
        file: CALL,
        from: "if state.busy() { now } else { state.poll_at() };",
        to: "state.poll_at();",
        killer: calls("late::a_fetch_under_way_is_waited_for_although_the_keepers_next_would_come_too_late"),
    },
    Mutant {
        name: "a body that was not sent whole counts as executed",
        file: ERRAND,
        from: "Body::Stream { .. }) && left > 0 =>",
        to: "Body::Stream { .. }) && left > u64::MAX - 1 =>",
        killer: calls("streams::a_body_that_broke_off_was_not_executed"),
    },
    Mutant {
        name: "a refusal is written into the file",
        file: ERRAND,
        from: "self.is_file || self.held.len() > HELD_BACK",
        to: "self.is_file || self.held.len() > 1",
        killer: calls("streams::a_file_of_any_kind_arrives_whole_and_a_refusal_never_does"),
    },
    Mutant {
        name: "a retry goes on where the body stood",
        file: "adapters/std/src/media/form.rs",
        from: "self.given = 0;",
        to: "",
        killer: calls("media::a_file_is_sent_again_with_another_token_and_a_reader_is_not"),
    },
    Mutant {
        name: "a cut file counts as whole",
        file: ERRAND,
        from: "if is_answer && reply.content_length().is_some_and(|len| self.received < len) {",
        to: "if false {",
        killer: calls("streams::a_reply_that_broke_off_is_begun_anew_and_never_taken_for_whole"),
    },
    Mutant {
        name: "every WeCom message is taken to be known again",
        file: "adapters/std/src/message.rs",
        from: "self.0.get(\"enable_duplicate_check\").is_some()",
        to: "self.0.get(\"agentid\").is_some()",
        killer: calls(
            "messages::a_message_whose_reply_is_lost_arrives_once_and_is_sent_again_only_where_it_is_known_again",
        ),
    },
    Mutant {
        name: "a refusal shows the token that the peer put in",
        file: ERRAND,
        from: "hit.fill(b'*');",
        to: "hit.fill(b'*');
            self.body.extend_from_slice(token.as_bytes());
            break;",
        killer: calls("secrecy::nothing_that_is_printed_of_a_call_holds_a_token"),
    },
];
