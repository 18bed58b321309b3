//! Reading and setting variables by the rules of the shell.

use super::super::Kernel;
use super::arith;
use super::ast::{Assign, Value};
use super::vars::{Val, Var};
use super::{Jump, Result, Shell};

impl Shell {
    /// The value of a variable; those that the shell makes up are made up here.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        match name {
            "LINENO" => Some(self.line.to_string()),
            _ => self.vars.text(name).map(String::from),
        }
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// The shell ends where the variable is read-only.
    pub(super) fn set_variable(
        &mut self,
        k: &mut Kernel<'_>,
        name: &str,
        value: String,
    ) -> Result<()> {
        self.set_value(k, name, Val::Scalar(value))
    }

    pub(super) fn set_value(&mut self, k: &mut Kernel<'_>, name: &str, value: Val) -> Result<()> {
        if self.vars.get(name).is_some_and(|var| var.readonly) {
            return Err(self.read_only(k, name)?);
        }
        if name == "OPTIND" {
            self.getopts_at = 0;
        }
        let export = self.options.allexport;
        let var = self.vars.entry(name);
        var.value = Some(value);
        var.exported |= export;
        Ok(())
    }

    fn read_only(&mut self, k: &mut Kernel<'_>, name: &str) -> Result<Jump> {
        let text = match self.dialect.has_bash_words() {
            true => format!("{name}: readonly variable"),
            false => format!("{name}: is read only"),
        };
        let code = if self.dialect.has_bash_words() { 1 } else { 2 };
        self.error(k, code, text)
    }

    /// Carries an assignment out.
    pub(super) fn assign(&mut self, k: &mut Kernel<'_>, assign: &Assign) -> Result<String> {
        match &assign.value {
            Value::Scalar(word) => {
                let mut text = self.text(k, word)?;
                if let Some(index) = &assign.index {
                    let index = self.index(k, &assign.name, index)?;
                    let mut elements = self.elements(&assign.name);
                    if assign.append {
                        let old = elements.get(&index).cloned().unwrap_or_default();
                        text.insert_str(0, &old);
                    }
                    elements.insert(index, text.clone());
                    self.set_value(k, &assign.name, Val::Array(elements))?;
                    return Ok(text);
                }
                if assign.append {
                    text.insert_str(0, &self.variable(&assign.name).unwrap_or_default());
                }
                match self
                    .vars
                    .get(&assign.name)
                    .and_then(|var| var.value.clone())
                {
                    Some(Val::Array(mut elements)) => {
                        elements.insert(0, text.clone());
                        self.set_value(k, &assign.name, Val::Array(elements))?;
                    }
                    _ => self.set_variable(k, &assign.name, text.clone())?,
                }
                Ok(text)
            }
            Value::Array(values) => {
                let mut elements = match assign.append {
                    true => self.elements(&assign.name),
                    false => Default::default(),
                };
                let mut next = elements.keys().next_back().map_or(0, |last| last + 1);
                for (index, word) in values {
                    if let Some(index) = index {
                        next = self.index(k, &assign.name, index)?;
                        let text = self.text(k, word)?;
                        elements.insert(next, text);
                        next += 1;
                        continue;
                    }
                    for text in self.fields(k, std::slice::from_ref(word))? {
                        elements.insert(next, text);
                        next += 1;
                    }
                }
                self.set_value(k, &assign.name, Val::Array(elements))?;
                Ok(String::new())
            }
        }
    }

    /// The elements of an array; a scalar is its element 0.
    pub(super) fn elements(&self, name: &str) -> std::collections::BTreeMap<i64, String> {
        match self.vars.get(name).and_then(|var| var.value.as_ref()) {
            Some(Val::Array(elements)) => elements.clone(),
            Some(Val::Scalar(text)) => crate::order::map([(0, text.clone())]),
            None => Default::default(),
        }
    }

    /// The number that an index works out to; negative ones count from the end.
    pub(super) fn index(
        &mut self,
        k: &mut Kernel<'_>,
        name: &str,
        word: &super::ast::Word,
    ) -> Result<i64> {
        let index = self.arithmetic(k, word)?;
        let last = self.elements(name).keys().next_back().copied();
        Ok(match index < 0 {
            true => last.map_or(0, |last| last + 1) + index,
            false => index,
        })
    }

    /// Evaluates an arithmetic expression.
    pub(super) fn arithmetic(
        &mut self,
        k: &mut Kernel<'_>,
        expr: &super::ast::Word,
    ) -> Result<i64> {
        let text = self.text(k, expr)?;
        match arith::evaluate(&text, self) {
            Ok(value) => Ok(value),
            Err(message) => {
                let code = if self.dialect.has_bash_words() { 1 } else { 2 };
                Err(self.error(k, code, message)?)
            }
        }
    }

    /// Hides a variable for as long as the present function runs.
    pub(super) fn make_local(&mut self, name: &str) {
        let old: Option<Var> = self.vars.get(name).cloned();
        if let Some(hidden) = self.locals.last_mut()
            && !hidden.iter().any(|(known, _)| known == name)
        {
            hidden.push((name.to_string(), old));
        }
    }
}

impl arith::Variables for Shell {
    fn value(&self, name: &str, index: Option<i64>) -> Option<String> {
        match index {
            Some(index) => self.elements(name).get(&index).cloned(),
            None => self.variable(name),
        }
    }

    fn assign(
        &mut self,
        name: &str,
        index: Option<i64>,
        value: i64,
    ) -> std::result::Result<(), String> {
        if self.vars.get(name).is_some_and(|var| var.readonly) {
            return Err(format!("{name}: is read only"));
        }
        match index {
            Some(index) => {
                let mut elements = self.elements(name);
                elements.insert(index, value.to_string());
                self.vars.entry(name).value = Some(Val::Array(elements));
            }
            None => self.vars.set(name, value.to_string()),
        }
        Ok(())
    }

    fn strict(&self) -> bool {
        self.options.nounset
    }
}
