//! Requests as they come over the worker boundary.
//!
//! Serde reads a tagged enum by buffering it and has code for every field of every variant, twice.
//! The engine travels to a browser, so requests are read as one struct of all fields that there are
//! (`#[serde(try_from)]`), and the tag then says which of them are needed.

use serde::{Deserialize, Deserializer, de};

/// A field that the tag asks for.
///
/// # Errors
/// It is not there.
pub(crate) fn need<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("missing field `{name}`"))
}

/// What is to be said of a tag that there is not.
pub(crate) fn unknown<T>(tag: &str) -> Result<T, String> {
    Err(format!("unknown variant `{tag}`"))
}

/// What an edit begins or ends with: an instruction's index or a path.
#[derive(Debug)]
pub(super) enum Place {
    Index(usize),
    Path(String),
}

impl Place {
    pub(super) fn index(self) -> Option<usize> {
        match self {
            Place::Index(index) => Some(index),
            Place::Path(_) => None,
        }
    }

    pub(super) fn path(self) -> Option<String> {
        match self {
            Place::Index(_) => None,
            Place::Path(path) => Some(path),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Place;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an index or a path")
            }
            fn visit_i64<E: de::Error>(self, index: i64) -> Result<Place, E> {
                let unfit = |_| E::invalid_value(de::Unexpected::Signed(index), &self);
                usize::try_from(index).map(Place::Index).map_err(unfit)
            }
            fn visit_u64<E: de::Error>(self, index: u64) -> Result<Place, E> {
                let unfit = |_| E::invalid_value(de::Unexpected::Unsigned(index), &self);
                usize::try_from(index).map(Place::Index).map_err(unfit)
            }
            fn visit_str<E: de::Error>(self, path: &str) -> Result<Place, E> {
                Ok(Place::Path(path.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
