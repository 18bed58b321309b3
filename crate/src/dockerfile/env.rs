//! An ordered environment.

use rpds::RedBlackTreeMap;

use super::expand::Variables;

/// Variables in the order in which they were last set; a copy is O(1).
///
/// Setting a variable again moves it to the end. Source: BuildKit `client/llb` (`EnvList`).
#[derive(Clone, Debug, Default)]
pub struct Env {
    values: RedBlackTreeMap<String, (u64, String)>,
    order: RedBlackTreeMap<u64, String>,
    next: u64,
    bytes: usize,
}

impl Env {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        let value = value.into();
        if let Some((place, old)) = self.values.get(&name) {
            self.order.remove_mut(place);
            self.bytes -= name.len() + old.len();
        }
        self.bytes += name.len() + value.len();
        self.order.insert_mut(self.next, name.clone());
        self.values.insert_mut(name, (self.next, value));
        self.next += 1;
    }

    /// The number of variables.
    pub fn len(&self) -> usize {
        self.values.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The length of all names and values together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.order.values().map(String::as_str)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names()
            .filter_map(|name| Some((name, self.get(name)?)))
    }
}

impl PartialEq for Env {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Env {}

impl Variables for Env {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(_, value)| value.as_str())
    }
}
