//! The sources of parameters.

#[cfg(feature = "params-url")]
mod url;

use std::fmt::Display;
use std::path::Path;

use ipvs_rs::desired::files::Source;
use ipvs_rs::desired::params::{MapResolver, ParamsError, Resolver, ResolverChain};

use crate::args::Globals;
use crate::escape::escaped;
use crate::failure::{Exit, Failure, failure};
use crate::file;
use crate::session;

/// The sources that are switched on, in the order in which they are asked. The files have been read before.
pub fn resolver(global: &Globals, files: &[Source]) -> Result<ResolverChain, Failure> {
    let mut chain = match global.params_network {
        Some(true) => ResolverChain::new().with(host(global)?),
        _ => ResolverChain::new().with(DisabledSource { prefix: "host.", flag: "--params-network" }),
    };
    chain = match global.params_env {
        Some(true) => chain.with(MapResolver::environment()),
        _ => chain.with(DisabledSource { prefix: "env.", flag: "--params-env" }),
    };
    for Source { name, text, .. } in files {
        chain = chain.with(document("--params-file", escaped(name), text)?);
    }
    if !global.params_url.is_empty() {
        for (name, text) in fetch(global)? {
            chain = chain.with(document("--params-url", name, &text)?);
        }
    }
    Ok(chain)
}

/// Reads the files of parameters.
pub fn read(global: &Globals) -> Result<Vec<Source>, Failure> {
    global.params_file.iter().map(|path| read_file(path)).collect()
}

/// A file of parameters could not be read.
pub fn unreadable(path: &Path, problem: impl Display) -> Failure {
    failure!(ParameterFile, "Unable to read from parameter file: {}: {problem}", escaped(path.display()))
}

/// A source that is not switched on.
#[derive(Debug)]
struct DisabledSource {
    prefix: &'static str,
    flag: &'static str,
}

impl Resolver for DisabledSource {
    fn resolve(&self, _: &str) -> Option<String> {
        None
    }

    fn hint(&self, key: &str) -> Option<String> {
        let Self { prefix, flag } = self;
        key.starts_with(prefix).then(|| format!("{flag} switches the source of {prefix}… on"))
    }
}

/// The addresses of the namespace that the table belongs to.
fn host(global: &Globals) -> Result<MapResolver, Failure> {
    let host = session::namespace(global)?.run(MapResolver::host).map_err(|error| error.to_string());
    host.and_then(|host| host.map_err(|error| error.to_string())).map_err(|error| {
        failure!(
            Network,
            "Specified dynamic parameter from local network interfaces, but unable to query them: {error}"
        )
    })
}

fn read_file(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let broken = |problem| failure!(Input, "--params-file {} must be JSON or YAML: {problem}", escaped(&name));
    let bytes = file::read_at_most(path, LONGEST)
        .map_err(|error| unreadable(path, error))?
        .ok_or_else(|| broken(format!("it has more than {LONGEST} bytes")))?;
    let text = String::from_utf8(bytes).map_err(|_unsaid| broken("it is not UTF-8".to_owned()))?;
    Ok(Source::new(name, text))
}

/// The longest file of parameters in bytes.
const LONGEST: u64 = 16 << 20;

fn document(option: &str, name: String, text: &str) -> Result<MapResolver, Failure> {
    MapResolver::from_document(name, text).map_err(|error| {
        let exit = if matches!(error, ParamsError::KeyIsNoText { .. }) { Exit::ParameterFile } else { Exit::Input };
        match error {
            ParamsError::NoDocument { .. } => Failure::new(exit, format!("{option} {error}")),
            _ => Failure::new(exit, error.to_string()),
        }
    })
}

#[cfg(feature = "params-url")]
fn fetch(global: &Globals) -> Result<Vec<(String, String)>, Failure> {
    let fetcher = url::Fetcher::new(global)?;
    global.params_url.iter().map(|url| fetcher.fetch(url)).collect()
}

#[cfg(not(feature = "params-url"))]
fn fetch(_: &Globals) -> Result<Vec<(String, String)>, Failure> {
    Err(failure!(
        Network,
        "Unable to fetch parameters from url: this program was built without the feature params-url; fetch them with another \
         program and use --params-file"
    ))
}
