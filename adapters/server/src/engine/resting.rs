//! How is a credential's state kept while nobody works on it? Without a second copy of the text that readers are given,
//! and without room for a longer one: that is half of what an account takes.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, MutexGuard},
};

use arc_swap::ArcSwap;
use wxtoken::{
    Instant, Reason, Token,
    core::{Asleep, Keeper},
};
use zeroize::Zeroizing;

use super::State;
use crate::{
    snapshot::{Held, Snapshot},
    store::Lease,
};

/// A [`State`] that nobody works on.
pub(super) struct Resting {
    keeper: Asleep,
    token: Text,
    earlier: u32,
    detail: Option<Reason>,
    hold_until: Instant,
    /// Boxed, since few have one at a time.
    lease: Option<Box<Lease>>,
}

/// The text of what a keeper holds.
enum Text {
    None,
    /// That which readers are given, or were.
    Shared(Arc<Held>),
    Own(Zeroizing<Box<str>>),
}

impl Text {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Shared(held) => Some(held.as_str()),
            Self::Own(text) => Some(text),
        }
    }
}

impl Resting {
    pub(super) fn of(keeper: &Keeper) -> Self {
        let (keeper, token) = keeper.sleep();
        Self {
            keeper,
            token: token.map_or(Text::None, |token| Text::Own(Zeroizing::new(token.as_str().into()))),
            earlier: 0,
            detail: None,
            hold_until: Instant::ZERO,
            lease: None,
        }
    }
}

/// A [`State`] that somebody works on, and nobody else meanwhile. It goes to rest when this is dropped.
pub(crate) struct Awake<'a> {
    state: State,
    resting: MutexGuard<'a, Resting>,
    shown: &'a ArcSwap<Snapshot>,
}

impl<'a> Awake<'a> {
    /// `shown`: what readers are given, which may share its text.
    pub(super) fn new(mut resting: MutexGuard<'a, Resting>, shown: &'a ArcSwap<Snapshot>) -> Self {
        // It was a token when it went to rest.
        let token = resting.token.as_str().and_then(|text| Token::new(text).ok());
        let state = State {
            keeper: resting.keeper.wake(token),
            earlier: resting.earlier,
            detail: resting.detail.take(),
            hold_until: resting.hold_until,
            lease: resting.lease.take().map(|lease| *lease),
        };
        Self { state, resting, shown }
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        let (keeper, token) = self.state.keeper.sleep();
        let token = token.map(Token::as_str);
        if self.resting.token.as_str() != token || matches!(self.resting.token, Text::Own(_)) {
            let held = self.shown.load().held.clone().filter(|held| Some(held.as_str()) == token);
            self.resting.token = match (held, token) {
                (Some(held), _) => Text::Shared(held),
                (None, Some(text)) => Text::Own(Zeroizing::new(text.into())),
                (None, None) => Text::None,
            };
        }
        self.resting.keeper = keeper;
        self.resting.earlier = self.state.earlier;
        self.resting.detail = self.state.detail.take();
        self.resting.hold_until = self.state.hold_until;
        self.resting.lease = self.state.lease.take().map(Box::new);
    }
}

impl Deref for Awake<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Awake<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}
