//! Refusal and meaning: what a "no" means, told to a person.

use core::{fmt::Write as _, hint::black_box};

use wxtoken_core::{Lang, Meaning, Phase, Product, Refusal};

use crate::{sink::Sink, text};

pub(crate) fn drive() {
    let refusal = Refusal::new(black_box(Product::Work), black_box(Phase::Using), black_box(-1), text());
    let refusal = black_box(refusal);
    black_box((refusal.errcode(), refusal.meaning(), refusal.act(), refusal.address(), refusal.trace()));
    let _ = refusal.explain(black_box(Lang::Zh), &mut Sink);
    let _ = write!(Sink, "{refusal}");
    drop(black_box(refusal.clone()));
    for meaning in black_box(Meaning::ALL) {
        black_box((meaning.act(), meaning.text(black_box(Lang::En))));
    }
}
