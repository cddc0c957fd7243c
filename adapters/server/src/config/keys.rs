//! Which key was meant? The nearest of those that are known where it stands.

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};

/// The keys of a table, as its type declares them: one list, and not a second one here.
pub(super) fn of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut known: &'static [&'static str] = &[];
    // It always ends with an error, after it has told.
    let _ = T::deserialize(Asked(&mut known));
    known
}

/// The known key that `key` resembles most, if it resembles any.
pub(super) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(key, known), *known));
    scored.min().filter(|(distance, known)| *distance <= known.len().max(key.len()) / 2).map(|(_, known)| known)
}

/// A deserializer that is asked for a struct, and takes down what its fields are called.
struct Asked<'k>(&'k mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only asked for the names"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only asked for the names"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
