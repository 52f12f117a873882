use crate::desired::escaped;

/// A parameter without a value, or a source of parameters that cannot be used. It prints as
/// [every error](crate::error#how-errors-print).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// No source has the key.
    #[error("unable to look up parameter (for key={}); {}", escaped(.key), advice(.searched, .nearest.as_deref(), .hint.as_deref()))]
    #[non_exhaustive]
    Unknown {
        /// The key.
        key: String,
        /// The descriptions of the sources; empty if there are none.
        searched: String,
        /// A key that exists and is similar.
        nearest: Option<String>,
        /// The way to enable a source that would have such a key: see [`Resolver::hint`](super::Resolver::hint).
        hint: Option<String>,
    },
    /// `${}`.
    #[error("empty params not allowed at pos {position} ()")]
    #[non_exhaustive]
    Empty {
        /// The place of the `$`, counted in characters from 0.
        position: usize,
    },
    /// A `${` without its `}`.
    #[error("invalid bracket balance at pos {position} ({})", escaped(.text))]
    #[non_exhaustive]
    Unbalanced {
        /// The place of the `$`, counted in characters from 0.
        position: usize,
        /// The text from there on.
        text: String,
    },
    /// Keys that contain keys that contain keys, and so on.
    #[error("parameters stand more than {limit} deep in each other")]
    #[non_exhaustive]
    TooDeep {
        /// The maximum depth.
        limit: usize,
    },
    /// A document that is neither JSON nor YAML, or not a mapping at its top.
    #[error("{} must be JSON or YAML{}{problem}", escaped(.name), if .problem.is_empty() { "" } else { ": " })]
    #[non_exhaustive]
    NoDocument {
        /// The document, as it was named.
        name: String,
        /// The reason.
        problem: String,
    },
    /// A key of a document that is not text.
    #[error("unable to resolve params from yaml: Keys need to be strings ({} in line {line} of {})", escaped(.key), escaped(.name))]
    #[non_exhaustive]
    KeyIsNoText {
        /// The document, as it was named.
        name: String,
        /// The key, as it was written.
        key: String,
        /// The line, counted from 1.
        line: u32,
    },
    /// The addresses of the host cannot be listed.
    #[error("unable to query the local network interfaces: {source}")]
    #[non_exhaustive]
    Interfaces {
        /// The error of the system.
        source: std::io::Error,
    },
}

impl ParamsError {
    /// Whether a parameter could not be replaced, because it has no value or not the right form.
    pub const fn is_unresolved(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Empty { .. } | Self::Unbalanced { .. } | Self::TooDeep { .. })
    }
}

fn advice(searched: &str, nearest: Option<&str>, hint: Option<&str>) -> String {
    let searched = match searched {
        "" => "no source of parameters is switched on".to_owned(),
        sources => format!("searched: {}", escaped(sources)),
    };
    let nearest = nearest.map(|key| format!("; did you mean {}?", escaped(key)));
    let hint = hint.map(|hint| format!("; {hint}"));
    searched + &nearest.unwrap_or_default() + &hint.unwrap_or_default()
}
