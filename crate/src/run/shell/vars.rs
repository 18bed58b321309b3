//! Variables.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::Env;

/// A variable's value.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Scalar(String),
    Array(BTreeMap<i64, String>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Var {
    pub value: Option<Val>,
    pub exported: bool,
    pub readonly: bool,
    /// The order of first setting, which is the order in the environment of a child.
    order: u32,
}

impl Var {
    /// The value as text: of an array, the first element.
    pub fn text(&self) -> Option<&str> {
        match self.value.as_ref()? {
            Val::Scalar(text) => Some(text),
            Val::Array(elements) => elements.get(&0).map(String::as_str),
        }
    }
}

/// All variables of a shell; a copy shares them until one of the two changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    map: Rc<BTreeMap<String, Var>>,
    next: u32,
}

impl Vars {
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.map.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// The variable, made if it is missing.
    pub fn entry(&mut self, name: &str) -> &mut Var {
        let map = Rc::make_mut(&mut self.map);
        if !map.contains_key(name) {
            self.next += 1;
            let var = Var {
                order: self.next,
                ..Var::default()
            };
            map.insert(name.to_string(), var);
        }
        map.entry(name.to_string()).or_default()
    }

    /// Sets a variable without asking whether it is read-only.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.entry(name).value = Some(Val::Scalar(value.into()));
    }

    pub fn remove(&mut self, name: &str) {
        if self.map.contains_key(name) {
            Rc::make_mut(&mut self.map).remove(name);
        }
    }

    /// Puts back what a variable was.
    pub fn restore(&mut self, name: &str, var: Option<Var>) {
        match var {
            Some(var) => {
                Rc::make_mut(&mut self.map).insert(name.to_string(), var);
            }
            None => self.remove(name),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.map.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// What a child gets.
    pub fn environment(&self) -> Env {
        let mut exported: Vec<_> = self
            .iter()
            .filter(|(_, var)| var.exported)
            .filter_map(|(name, var)| Some((var.order, name, var.text()?)))
            .collect();
        crate::order::sort(&mut exported);
        let mut env = Env::default();
        for (_, name, value) in exported {
            env.set_new(name, value);
        }
        env
    }
}
