//! `${…}` in files: where values come from, and how they get into text.
//!
//! A parameter is a key between `${` and `}`. Its value is inserted verbatim: a `${` in a value is not replaced again.
//! Keys can contain parameters, `${net.${env.STAGE}}`: the inner one is replaced first.
//!
//! [`Syntax::Version2`] adds two things: `${key:-text}` is the text where no source has the key, and
//! `$${` is a literal `${`.
//!
//! # Secrets
//!
//! The author of a file can insert every value of the enabled sources into an address, and a message about that address
//! shows it. Nothing is masked.

#[cfg(feature = "yaml")]
mod document;
mod error;
mod nearest;
mod resolver;
mod template;

pub use error::ParamsError;
#[cfg(feature = "yaml")]
pub(in crate::desired) use nearest::nearest;
pub use resolver::{MapResolver, Resolver, ResolverChain};
#[cfg(feature = "yaml")]
pub(in crate::desired) use template::Lookup;
pub use template::{Syntax, substitute};
