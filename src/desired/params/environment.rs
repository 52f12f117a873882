use std::collections::BTreeMap;
use std::fmt;

use super::Resolver;

/// The environment: `env.NAME` is the variable `NAME`.
///
/// It is what it was when this was made. A value may be empty and may have `=` in it; one that is no UTF-8 is left out.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct EnvResolver {
    variables: BTreeMap<String, String>,
}

impl EnvResolver {
    /// The environment of this process.
    pub fn new() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.into_string().ok()?))
        });
        Self::from_variables(variables)
    }

    /// Variables from elsewhere.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}

impl Resolver for EnvResolver {
    fn resolve(&self, key: &str) -> Option<String> {
        self.variables.get(key.strip_prefix(PREFIX)?).cloned()
    }

    fn keys(&self) -> Vec<String> {
        self.variables.keys().map(|name| format!("{PREFIX}{name}")).collect()
    }

    fn describe(&self) -> String {
        "environment (env.NAME)".to_owned()
    }
}

// The values are left out: a token may be among them.
impl fmt::Debug for EnvResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvResolver").field("variables", &self.variables.len()).finish()
    }
}

const PREFIX: &str = "env.";
