use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::nearest::nearest;
use super::template::Substitution;
use super::{ParamsError, Resolver, Syntax};

/// Values of parameters for one reading, and hints for those that have none.
pub(in crate::desired) struct Lookup<'r> {
    resolver: Option<&'r dyn Resolver>,
    keys: OnceCell<Vec<String>>,
    hints: RefCell<HashMap<String, Option<String>>>,
}

/// To look for the nearest of very many keys very often would take longer than all the rest.
const MAX_KEYS: usize = 10_000;
const MAX_HINTS: usize = 100;

impl<'r> Lookup<'r> {
    pub(in crate::desired) fn new(resolver: Option<&'r dyn Resolver>) -> Self {
        Self { resolver, keys: OnceCell::new(), hints: RefCell::default() }
    }

    pub(in crate::desired) fn substitute(&self, text: &str, syntax: Syntax) -> Result<String, ParamsError> {
        if !text.contains("${") {
            return Ok(text.to_owned());
        }
        let lookup = |key: &str| self.resolver.and_then(|resolver| resolver.resolve(key));
        let substitution = Substitution { lookup: &lookup, syntax };
        substitution.text(text).map_err(|error| error.explain(self.resolver, |key| self.nearest(key)))
    }

    fn nearest(&self, key: &str) -> Option<String> {
        let mut hints = self.hints.borrow_mut();
        if let Some(hint) = hints.get(key) {
            return hint.clone();
        }
        if hints.len() >= MAX_HINTS {
            return None;
        }
        let keys = self.keys.get_or_init(|| self.resolver.map(Resolver::keys).unwrap_or_default());
        let hint = nearest(key, keys.iter().take(MAX_KEYS).map(String::as_str)).map(str::to_owned);
        hints.insert(key.to_owned(), hint.clone());
        hint
    }
}
