//! How does a keeper rest where there are a hundred thousand of them? Without the 512 bytes in which the longest token
//! finds room.

use core::fmt;

use super::{Keeper, Trouble};
use crate::{Endpoint, Policy, Token};

/// The fields once, and every place where each must be named.
macro_rules! asleep {
    ($($field:ident: $type:ty),* $(,)?) => {
        /// A keeper without its token, some 128 bytes long. It cannot do anything until it [wakes](Self::wake).
        #[derive(Clone, Copy)]
        pub struct Asleep {
            $($field: $type,)*
        }

        impl Keeper {
            /// What to keep of it where memory counts, and the token that belongs to that: valid, expired, or reported
            /// refused and kept for comparison. On a device there is no use for this.
            #[must_use]
            pub fn sleep(&self) -> (Asleep, Option<&Token>) {
                let Self { $($field,)* token } = self;
                (Asleep { $($field: *$field,)* }, Some(token).filter(|token| !token.is_empty()))
            }
        }

        impl Asleep {
            /// The keeper as it was. `token` must be the one that [`Keeper::sleep`] named: with another it would be
            /// mistaken about what it holds.
            #[must_use]
            pub fn wake(&self, token: Option<Token>) -> Keeper {
                let Self { $($field,)* } = *self;
                Keeper { $($field,)* token: token.unwrap_or(Token::vacant()) }
            }
        }
    };
}

asleep! {
    endpoint: &'static Endpoint,
    seed: u64,
    expires_at: u64,
    sent_at: u64,
    not_before: u64,
    quiet_until: u64,
    day_ends_at: u64,
    life_ms: u32,
    lead_ms: u32,
    ticket: u32,
    generation: u32,
    trouble: Option<Trouble>,
    policy: Policy,
    day_fetches: u16,
    day_forced: u8,
    streak: u8,
    refused_streak: u8,
    in_flight: bool,
    flight_forced: bool,
    flight_reports: bool,
    refused: bool,
    graced: bool,
    reaffirmed: bool,
    force_pending: bool,
    day_known: bool,
}

impl fmt::Debug for Asleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asleep")
            .field("endpoint", &self.endpoint.name)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
