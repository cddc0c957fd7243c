//! The signature of a page and its nonce.

use core::{fmt::Write as _, hint::black_box};

use wxtoken_core::{Nonce, PageSignature, Token};

use crate::{sink::Sink, text};

pub(crate) fn drive() {
    let Ok(ticket) = black_box(Token::new(text())) else { return };
    let nonce = black_box(Nonce::from_bits(black_box(0)));
    for nonce in [nonce.as_str(), text()] {
        match black_box(PageSignature::new(&ticket, nonce, black_box(0), text())) {
            Ok(signature) => {
                black_box(signature.as_str());
                let _ = write!(Sink, "{signature}");
            }
            Err(why) => {
                let _ = write!(Sink, "{}", black_box(why));
            }
        }
    }
    let _ = write!(Sink, "{nonce}");
}
