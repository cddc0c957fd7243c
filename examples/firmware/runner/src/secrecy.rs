//! Has anything leaked? No 8 bytes in a row of a secret, or of any token that was minted, may be in anything that was
//! said.

use std::collections::{BTreeSet, HashMap};

/// So many bytes in a row are a leak.
const LEAK: usize = 8;

/// What must not be said.
#[derive(Default)]
pub(crate) struct Hidden<'a>(HashMap<&'a [u8], &'static str>);

impl<'a> Hidden<'a> {
    /// Adds `text`, which is called `what`.
    pub(crate) fn add(&mut self, what: &'static str, text: &'a str) {
        self.0.extend(text.as_bytes().windows(LEAK).map(|piece| (piece, what)));
    }

    /// What of it is in `output`, each once.
    pub(crate) fn leaks(&self, output: &[u8]) -> BTreeSet<&'static str> {
        output.windows(LEAK).filter_map(|piece| self.0.get(piece).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_in_a_row_are_a_leak_wherever_they_stand() {
        let mut hidden = Hidden::default();
        hidden.add("the secret", "0123456789abcdef");
        hidden.add("a token", "A_token-of-12");
        hidden.add("too short to be one", "short");
        assert_eq!(hidden.leaks(b"all is well: 0123456, 789abcd, short"), BTreeSet::new());
        assert_eq!(hidden.leaks(b"12345678"), BTreeSet::from(["the secret"]));
        assert_eq!(hidden.leaks(b"\0_token-o!\xff89abcdef"), BTreeSet::from(["a token", "the secret"]));
    }
}
