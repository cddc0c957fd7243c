//! How is the HTTPS door described on the command line? By words that the help and the completions list.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use wxtoken_platform::{Leaf, ServerKey, TlsVersions};

/// A parser that takes one of the words of `table`, and nothing else.
fn one_of<T: Clone + Send + Sync>(table: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    let words = PossibleValuesParser::new(table.iter().map(|(word, _)| *word));
    words.try_map(|word| {
        let found = table.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| value.clone()).ok_or("not one of the words")
    })
}

pub(crate) fn versions() -> impl TypedValueParser<Value = TlsVersions> {
    one_of(&[("both", TlsVersions::Both), ("1.2", TlsVersions::Only12), ("1.3", TlsVersions::Only13)])
}

pub(crate) fn key() -> impl TypedValueParser<Value = ServerKey> {
    one_of(&[("ecdsa", ServerKey::Ecdsa), ("rsa", ServerKey::Rsa)])
}

pub(crate) fn leaf() -> impl TypedValueParser<Value = Leaf> {
    one_of(&[
        ("good", Leaf::Good),
        ("expired", Leaf::Expired),
        ("not-yet-valid", Leaf::NotYetValid),
        ("wrong-host", Leaf::WrongHost),
        ("self-signed", Leaf::SelfSigned),
        ("foreign-authority", Leaf::ForeignAuthority),
        ("leaf-as-issuer", Leaf::LeafAsIssuer),
        ("none", Leaf::None),
    ])
}
